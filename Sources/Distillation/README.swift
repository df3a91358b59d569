// How models come to be and how good they are. May import Models, Text, Tensors, CKernels, Diagnostics.
//
// Data/         lines with labels: reading, splitting, hashing
// Teacher/      fine-tuning of a BERT's last layers: passes forward and backward, AdamW, early choice
// Student/      distillation: StudentRecipe and StudentDistiller lead; TeacherPanel keeps logits, StudentTrainer trains,
//               ContextualEmbeddings starts the embedding, TransferAugmentation makes more lines
// Calibration/  temperature, deferral threshold, split conformal
// Evaluation/   measures on arrays, the evaluator that times models, reports as text and JSON; Page/: the report page
//
// Pure: no clock, signal or descriptor but in the types named for files; what takes long reports through ProgressMeter.
