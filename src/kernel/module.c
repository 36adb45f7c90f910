/* An empty Python module, so that the kernel is built and found like any extension; its functions are called by ctypes,
 * which lets other threads run meanwhile. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_kernel", NULL, 0, NULL};

PyMODINIT_FUNC PyInit__kernel(void) { return PyModule_Create(&module); }
