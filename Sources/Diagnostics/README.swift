// What every room says to people: errors with a code and an exit status, progress, numbers as text. Imports no room.
