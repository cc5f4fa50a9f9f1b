"""Release, check and grade assignments: notebooks in nbgrader's format, judged by what they print.

`assignment` is the format, `checks` what the check cells call, `submission` reads what students hand in and merges it.
`execute` runs a notebook in a kernel that `warm` forks and `sandbox` confines; `validate` runs it under nbval instead.
`verdict` turns outputs into points, `course` grades a folder, `report` writes the pages and the table of a course.
"""
