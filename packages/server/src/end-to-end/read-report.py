"""Reads a workbook or a calendar with the libraries that others read them with, and prints what is in it as JSON.

Usage: read-report.py FILE.xlsx | FILE.ics
"""

import json
import sys

PATH = sys.argv[1]


def cell(one):
    # 'f' is a formula, 's' is text, 'n' is a number or nothing.
    return [one.value, one.data_type]


def workbook():
    import openpyxl

    book = openpyxl.load_workbook(PATH)
    return [
        {
            "name": sheet.title,
            "frozen": sheet.freeze_panes,
            "cells": [[cell(one) for one in row] for row in sheet.iter_rows()],
        }
        for sheet in book.worksheets
    ]


def calendar():
    import icalendar

    with open(PATH, "rb") as file:
        read = icalendar.Calendar.from_ical(file.read())
    if read.errors:
        raise SystemExit(f"the calendar has errors: {read.errors}")
    return [
        {
            "uid": str(event["UID"]),
            "stamp": event["DTSTAMP"].dt.isoformat(),
            "start": event["DTSTART"].dt.isoformat(),
            "end": event["DTEND"].dt.isoformat() if "DTEND" in event else None,
            "summary": str(event["SUMMARY"]),
            "description": str(event.get("DESCRIPTION", "")),
            "status": str(event["STATUS"]),
            "errors": [str(error) for error in event.errors],
        }
        for event in read.walk("VEVENT")
    ]


json.dump(calendar() if PATH.endswith(".ics") else workbook(), sys.stdout)
