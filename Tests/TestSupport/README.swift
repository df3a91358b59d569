// What the tests of several rooms share. No product, imports no room.
