// Data sets, losses, optimisers, trainers, evaluation and calibration. May import Models, Text, Tensors, Diagnostics.
