"""A gate as JUnit XML: a suite for each result, a case for each limit."""

from junitparser import Error, Failure, TestCase, TestSuite

from onnxpad.gating import Gate, Gated
from onnxpad.report import gate_text
from onnxpad.report.junit import document
from onnxpad.text import one_line, printable


def dumps(gate: Gate) -> str:
    """The XML; ends in a newline. Warnings pass, unless the gate is strict, and are said."""
    suites = [_result(gate, result) for file in gate.files for result in file.results]
    suites += [_broken(file.path, file.error) for file in gate.files if file.error]
    return document("onnxpad gate", suites)


def _broken(path: str, error: str) -> TestSuite:
    name = printable(path, 400)
    suite = TestSuite(name)
    case = TestCase("can be judged", name, 0.0)
    case.result = [Error(one_line(error, 1000), "unreadable")]
    suite.append(case)
    return suite


def _result(gate: Gate, result: Gated) -> TestSuite:
    name = printable(result.result.title, 400)
    suite = TestSuite(name)
    for one in result.judged:
        case = TestCase(str(one.limit), name, 0.0)
        told = gate_text.sentence(result, one)
        if gate.fails(one):
            case.result = [Failure(told, one.outcome)]
        else:
            case.system_out = f"{one.weight}: {told}"
        suite.append(case)
    return suite
