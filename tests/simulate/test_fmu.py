import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import yaml

from tuckpoint.errors import InputError, MissingExtra
from tuckpoint.seed import Seed
from tuckpoint.simulate.contract import load

# y falls from `a` at `rate`: dy/dt = -rate y, by steps of explicit Euler. Signatures after FMI 2.0.4.
SOURCE = r"""
#include <stdlib.h>
#include <string.h>
typedef struct { double a, rate, y, time; } Unit;
typedef const char* Text;
Text fmi2GetTypesPlatform(void) { return "default"; }
Text fmi2GetVersion(void) { return "2.0"; }
int fmi2SetDebugLogging(void* c, int on, size_t n, const Text* names) { return 0; }
void* fmi2Instantiate(Text name, int type, Text id, Text place, const void* f, int visible, int log) {
    return calloc(1, sizeof(Unit));
}
void fmi2FreeInstance(void* c) { free(c); }
int fmi2SetupExperiment(void* c, int t, double tol, double start, int s, double stop) { return 0; }
int fmi2EnterInitializationMode(void* c) { return 0; }
int fmi2ExitInitializationMode(void* c) { Unit* u = c; u->y = u->a; return 0; }
int fmi2Terminate(void* c) { return 0; }
int fmi2Reset(void* c) { memset(c, 0, sizeof(Unit)); return 0; }
int fmi2SetReal(void* c, const unsigned* at, size_t n, const double* v) {
    for (size_t i = 0; i < n; i++) ((double*) c)[at[i]] = v[i];
    return 0;
}
int fmi2GetReal(void* c, const unsigned* at, size_t n, double* v) {
    for (size_t i = 0; i < n; i++) v[i] = ((double*) c)[at[i]];
    return 0;
}
int fmi2GetInteger(void* c, const unsigned* at, size_t n, int* v) { return n ? 3 : 0; }
int fmi2GetBoolean(void* c, const unsigned* at, size_t n, int* v) { return n ? 3 : 0; }
int fmi2GetString(void* c, const unsigned* at, size_t n, Text* v) { return n ? 3 : 0; }
int fmi2SetInteger(void* c, const unsigned* at, size_t n, const int* v) { return n ? 3 : 0; }
int fmi2SetBoolean(void* c, const unsigned* at, size_t n, const int* v) { return n ? 3 : 0; }
int fmi2SetString(void* c, const unsigned* at, size_t n, const Text* v) { return n ? 3 : 0; }
int fmi2DoStep(void* c, double t, double h, int keep) {
    Unit* u = c;
    for (int i = 0; i < 1000; i++) u->y -= u->rate * u->y * h / 1000;
    return 0;
}
int fmi2CancelStep(void* c) { return 0; }
#define NONE(name) int name(void) { return 3; }
NONE(fmi2GetFMUstate) NONE(fmi2SetFMUstate) NONE(fmi2FreeFMUstate) NONE(fmi2SerializedFMUstateSize)
NONE(fmi2SerializeFMUstate) NONE(fmi2DeSerializeFMUstate) NONE(fmi2GetDirectionalDerivative)
NONE(fmi2SetRealInputDerivatives) NONE(fmi2GetRealOutputDerivatives) NONE(fmi2GetStatus) NONE(fmi2GetRealStatus)
NONE(fmi2GetIntegerStatus) NONE(fmi2GetBooleanStatus) NONE(fmi2GetStringStatus)
"""
DESCRIPTION = """<?xml version="1.0" encoding="UTF-8"?>
<fmiModelDescription fmiVersion="2.0" modelName="fall" guid="{1}">
  <CoSimulation modelIdentifier="fall" canHandleVariableCommunicationStepSize="true"/>
  <ModelVariables>
    <ScalarVariable name="a" valueReference="0" causality="input"><Real start="1"/></ScalarVariable>
    <ScalarVariable name="rate" valueReference="1" causality="parameter" variability="fixed">
      <Real start="1"/>
    </ScalarVariable>
    <ScalarVariable name="y" valueReference="2" causality="output"><Real/></ScalarVariable>
  </ModelVariables>
  <ModelStructure><Outputs><Unknown index="3"/></Outputs></ModelStructure>
</fmiModelDescription>
"""
ENTRIES = {
    "fmu": "fall.fmu",
    "stop": 2,
    "step": 0.5,
    "inputs": {"a": [0, 10, "m"]},
    "outputs": {"y": "m"},
    "parameters": {"rate": [0, 3, "1/s"]},
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a unit built here."""
    pytest.importorskip("fmpy", reason="FMPy is not installed (the extra fmu)")
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("no C compiler to build a unit with")
    folder = tmp_path_factory.mktemp("fmu")
    (folder / "fall.c").write_text(SOURCE, encoding="utf-8")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", folder / "fall.so", folder / "fall.c"], check=True)
    with zipfile.ZipFile(folder / "fall.fmu", "w") as unit:
        unit.writestr("modelDescription.xml", DESCRIPTION)
        unit.write(folder / "fall.so", "binaries/linux64/fall.so")
    return folder


def described(folder, **more):
    file = folder / "plant.yaml"
    file.write_text(yaml.safe_dump({**ENTRIES, **more}), encoding="utf-8")
    return file


def test_a_unit_is_simulated_row_by_row(place):
    model = load(described(place))
    assert model.kind == "fmu"
    told = model.run({"rate": 0.5}, {"a": np.array([2.0, 6.0])}, Seed(1))
    assert told["y"] == pytest.approx(np.array([2.0, 6.0]) * np.exp(-1), rel=1e-3)


def test_a_description_that_does_not_fit_the_unit_is_refused(place):
    with pytest.raises(InputError, match=r'inputs: "aa" is no variable of fall\.fmu .did you mean "a"'):
        load(described(place, inputs={"aa": [0, 1, ""]}))
    with pytest.raises(InputError, match=r"no file none\.fmu"):
        load(described(place, fmu="none.fmu"))
    with pytest.raises(InputError, match="seconds of model time"):
        load(described(place, step=0))
    (place / "broken.fmu").write_bytes(b"no archive")
    with pytest.raises(InputError, match="cannot be read as an FMU"):
        load(described(place, fmu="broken.fmu"))


def test_without_fmpy_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fmpy", None)
    with pytest.raises(MissingExtra, match=r"tuckpoint\[fmu\]"):
        load(described(tmp_path))
