"""Release, check and grade assignments: notebooks in nbgrader's format, judged by what they print.

`assignment` is the format, `checks` what check cells call, `submission` what students hand in and its merge.
`validate` runs the merge under nbval, on the student's machine. For grading, `kernel` runs cells in a process
that `warm` forks and `sandbox` confines, `verdict` turns what they show into points, `course` does so for a
folder, and `report` writes the pages and tables. `commands` are the commands of `gm-lab`.
"""
