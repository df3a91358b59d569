// Tests of the room Service.
