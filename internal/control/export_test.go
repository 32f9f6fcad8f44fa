package control

// Unpack is unpack, for its fuzz target.
var Unpack = unpack
