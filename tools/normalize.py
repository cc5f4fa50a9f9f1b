"""One notebook, one file: what a chapter stores does not depend on who ran it, when, and in which editor."""

import hashlib
import json
import re

import nbformat

from gm_lab.grading.assignment import complete

# Cell metadata that authors write: tags, image options, and what makes a cell part of an assignment.
AUTHORED = ("tags", "mystnb", "nbgrader", "tolerance")
METADATA = {
    "kernelspec": {"name": "python3", "display_name": "Python 3"},
    "language_info": {"name": "python"},
}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
PROGRESS = re.compile(r"\d+%\|")


def normalize(notebook):
    """Bring a notebook into its stored form, in place: ids, counts, metadata and outputs. Returns it."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.cells = [cell for cell in notebook.cells if cell.source.strip()]
    for cell in notebook.cells:
        cell.metadata = cell_metadata(cell.metadata)
    code_cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, cell in enumerate(code_cells, start=1):
        cell.outputs = clean_outputs(cell.outputs)
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    set_cell_ids(notebook)
    return notebook


def cell_metadata(metadata):
    """What the author wrote, nbgrader's other fields, and what folds a `hide-cell` in Lab and in Colab."""
    kept = {key: metadata[key] for key in AUTHORED if metadata.get(key)}
    if "nbgrader" in kept:
        kept["nbgrader"] = complete(kept["nbgrader"])
    if "hide-cell" in kept.get("tags", []):
        kept |= {"jupyter": {"source_hidden": True}, "cellView": "form"}
    return nbformat.from_dict(kept)


def set_cell_ids(notebook):
    """Give each cell an id made from its content, so that running twice changes no line of the file."""
    for cell, cell_id in zip(notebook.cells, cell_ids(notebook), strict=True):
        cell.id = cell_id


def cell_ids(notebook):
    """The ids that the cells should have; where an id differs, somebody edited the cell since it was run."""
    ids = []
    for cell in notebook.cells:
        content = json.dumps([cell.cell_type, cell.source, cell.metadata], sort_keys=True)
        digest = hashlib.sha256(content.encode()).hexdigest()[:12]
        copies = sum(earlier.startswith(digest) for earlier in ids)
        ids.append(f"{digest}-{copies + 1}" if copies else digest)
    return ids


def clean_outputs(outputs):
    """Outputs without widget views, progress bars and split streams."""
    cleaned = []
    for output in outputs:
        if output.output_type == "stream":
            previous = cleaned[-1] if cleaned else None
            if previous and previous.output_type == "stream" and previous.name == output.name:
                previous.text += output.text
            else:
                cleaned.append(output)
        elif "data" not in output:
            cleaned.append(output)
        elif "text/html" in output.data:
            output.data.pop(WIDGET_VIEW, None)
            cleaned.append(output)
        # A bar drawn by ipywidgets; any other view without text/html stays, for the lint to complain about.
        elif not (WIDGET_VIEW in output.data and PROGRESS.search(output.data.get("text/plain", ""))):
            cleaned.append(output)
    for output in cleaned:
        if output.output_type == "stream":
            # As on a terminal, what stands before a carriage return is overwritten.
            output.text = re.sub(r"[^\n]*\r(?!\n)", "", output.text.replace("\r\n", "\n"))
    return [output for output in cleaned if output.output_type != "stream" or output.text.strip()]


def is_widget(output):
    """True if an output shows a widget of gm_lab in static HTML."""
    return 'class="gm-widget' in output.get("data", {}).get("text/html", "")
