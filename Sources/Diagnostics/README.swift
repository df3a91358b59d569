// What every room says to people: errors with a code and an exit status, progress, numbers and outside text made
// printable; and what they are told by the environment. Imports no room.
