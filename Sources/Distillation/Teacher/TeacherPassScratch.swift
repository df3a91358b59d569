/// Working memory that the blocks of one thread's pass take turns with.
final class TeacherPassScratch {
    let branch = TeacherWorkspace()  // (R, D)
    let attention = TeacherWorkspace()
    let wideGradient = TeacherWorkspace()  // (R, F)
    let contextGradient = TeacherWorkspace()  // (R, D)
    let queryGradient = TeacherWorkspace()  // (lines, D)
    let queryKeyValueGradient = TeacherWorkspace()  // (T, 3·D)
}
