import CKernels

extension TeacherConfiguration.Activation {
    /// The activation's number in bert_kernels.h.
    public var kernelCode: Int32 {
        switch self {
        case .gelu: Int32(BERT_GELU.rawValue)
        case .geluNew, .geluTanh: Int32(BERT_GELU_TANH.rawValue)
        case .relu: Int32(BERT_RELU.rawValue)
        }
    }
}
