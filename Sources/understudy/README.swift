// The command line: a file per verb, parsing and wiring only. May import every room.
//
// ClassifyCommand, TokenizeCommand, TrainCommand, DistillCommand, EvaluateCommand   the verbs
// DisagreementsCommand and its four, with DisagreementFilterOptions                 the log of a daemon
// StateDirectoryOption, StateLocation                                               which daemon's state
// Reporting, Interruption, TerminalInput, ModelLoader                               what they share
