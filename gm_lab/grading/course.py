"""A whole course: find what was handed in, grade it on all cores or on a Dask cluster, stop and resume."""

import hashlib
import json
import os
import re
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

import nbformat

import gm_lab
from gm_lab.grading.sandbox import Limits
from gm_lab.grading.submission import LARGEST, BadSubmission
from gm_lab.grading.verdict import Assignment, Grade, grade, ungraded

LONGEST_NAME = 120  # bytes of a student's name in the name of a file
HASHED = re.compile(r"-[0-9a-f]{16}$")


@dataclass(frozen=True)
class Submission:
    """One file that was handed in."""

    student: str
    path: Path

    def content(self) -> bytes:
        """Return what is in it, cut off where it is too large to be read anyway.

        Raises BadSubmission for a link, which could point to the answer key.
        """
        if self.path.is_symlink():
            raise BadSubmission("the file is a link to another one")
        with self.path.open("rb") as file:
            return file.read(LARGEST + 1)


def submissions(folder: Path, name: str) -> list[Submission]:
    """Return what was handed in: STUDENT.ipynb, or STUDENT/NAME.ipynb as nbgrader collects it.

    Raises ValueError if there is nothing.
    """
    paths = [path for path in sorted(folder.rglob("*.ipynb")) if not path.is_dir()]
    paths = [
        path for path in paths if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    names = [student_of(path.relative_to(folder), name) for path in paths]
    found = [
        Submission(student if names.count(student) == 1 else printable(path.relative_to(folder)), path)
        for student, path in zip(names, paths, strict=True)
    ]
    if not found:
        raise ValueError(f"{folder} holds no notebooks: expected STUDENT.ipynb or STUDENT/{name}.ipynb")
    return found


def student_of(path: Path, name: str) -> str:
    """Return whose file it is: ada for ada.ipynb, and for ada/NAME.ipynb."""
    return printable(path.parent if path.stem == name and path.parent.name else path.with_suffix(""))


def printable(path: Path) -> str:
    """Return a path as text that can be written anywhere, also if its bytes are no UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def fingerprint(assignment: Assignment, content: bytes, mode: str, limits: Limits) -> str:
    """Return what a result depends on, as a checksum; a stored result with another one is not used again."""
    about = [gm_lab.__version__, nbformat.writes(assignment.source), mode, asdict(limits)]
    return hashlib.sha256(json.dumps(about).encode() + content).hexdigest()


def result_path(results: Path, student: str) -> Path:
    """Return where a student's result is stored: inside of the folder, and nobody else's is there."""
    plain = "".join(c if c.isalnum() or c in "-_.@ " else "_" for c in student).lstrip(".")
    if plain != student or len(plain.encode()) > LONGEST_NAME or HASHED.search(plain):
        plain = plain.encode()[:LONGEST_NAME].decode("utf-8", "ignore")
        plain += "-" + hashlib.sha256(student.encode("utf-8", "backslashreplace")).hexdigest()[:16]
    return results / f"{plain}.json"


def stored(path: Path, key: str) -> Grade | None:
    """Return the result of an earlier run, if it still holds and was not the grader's own failure."""
    try:
        kept = json.loads(path.read_text())
        result = Grade.from_dict(kept["grade"]) if kept["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return result if result and not result.error else None


def store(path: Path, key: str, result: Grade) -> None:
    """Write a result so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps({"key": key, "grade": result.to_dict()}, indent=1))
    os.replace(unfinished, path)


def grade_course(
    assignment, handed_in, results: Path, mode: str, limits: Limits, jobs=None, scheduler=None, again=False
):
    """Grade submissions and store each result at once; yield (grade, whether it was stored before).

    Args:
        assignment: the Assignment.
        handed_in: Submissions.
        results: the folder of the results, one JSON file a student. What is there and still holds is not
        graded again.
        mode: where students' code runs, see `sandbox`.
        limits: what each kernel may use.
        jobs: how many at a time on this machine; by default one for each core.
        scheduler: the address of a Dask scheduler to use instead of this machine.
        again: grade all, also what was graded before.
    """
    waiting = []
    for submission in handed_in:
        try:
            content = submission.content()
        except (BadSubmission, OSError) as error:
            result = ungraded(assignment, submission.student, error)
            store(result_path(results, submission.student), "", result)
            yield result, False
            continue
        key = fingerprint(assignment, content, mode, limits)
        earlier = None if again else stored(result_path(results, submission.student), key)
        if earlier:
            yield earlier, True
        else:
            waiting.append((submission.student, content, key))
    if not waiting:
        return
    executor, close = dask_executor(scheduler) if scheduler else local_executor(jobs)
    try:
        futures = {
            executor.submit(grade, assignment, student, content, mode, limits): (student, key)
            for student, content, key in waiting
        }
        for future in as_completed(futures):
            student, key = futures[future]
            try:
                result = future.result()
            except Exception as error:  # a bug of the grader, or a lost worker: the batch goes on
                result = Grade(student, error=f"{type(error).__name__}: {error}")
            store(result_path(results, student), key, result)
            yield result, False
    finally:
        close()


def local_executor(jobs: int | None):
    """Return threads: each of them waits for a kernel, which is a process of its own."""
    executor = ThreadPoolExecutor(jobs or len(os.sched_getaffinity(0)))
    return executor, lambda: executor.shutdown(wait=True, cancel_futures=True)


def dask_executor(address: str):
    """Return the workers of a Dask cluster, on each of which gm_lab and the sandbox must be installed."""
    from distributed import Client

    client = Client(address)
    return client.get_executor(retries=2, pure=False), client.close
