// The command line: a file per verb, parsing and wiring only. May import every room.
//
// ClassifyCommand, TokenizeCommand, TrainCommand, DistillCommand, EvaluateCommand   the verbs
// Reporting, Interruption, ModelLoader                                              what they share
