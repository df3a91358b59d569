// What every room says to people: errors with a code and an exit status, progress, numbers and outside text made
// printable. Imports no room.
