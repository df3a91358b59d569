#include "understudy_kernels.h"
