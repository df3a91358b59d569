/// `models:`
enum ModelOptions {
    static let student = YAMLOption(
        "student", .path, absent: "the embedded student", example: "/var/lib/understudy/students/current",
        "Model directory of the student, or the registry's link to it; a new one is taken up while running.")
    static let teacher = YAMLOption(
        "teacher", .path, absent: "none, and the student answers alone",
        example: "/usr/share/understudy/models/teacher",
        "Model directory of the teacher; its labels must be the student's.")

    static let block = OptionBlock(
        "models", absence: .means("the embedded student and the embedded teacher"),
        options: [student.facts, teacher.facts],
        "The models that answer.")
}
