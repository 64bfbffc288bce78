"""A class run by a client that isn't Rollcall's: python-socketio, and the seed document alone.

Sends the seven events as the document writes them (no acknowledgements, no further fields), checks the fields of
every answer against the document's types, and prints what it got as JSON.

    python-client.py URL TRANSPORT < {"tokens": {...}, "session_id": "...", "students": [{"uid", "student_id"}, ...]}
"""

import json
import queue
import sys
from datetime import datetime

import socketio

PATIENCE_S = 30
URL, TRANSPORT = sys.argv[1], sys.argv[2]
TASK = json.load(sys.stdin)
SESSION = TASK["session_id"]


def is_date(value):
    """A Date of JavaScript, as JSON has it: ISO 8601 in UTC."""
    if not isinstance(value, str) or not value.endswith("Z"):
        return False
    try:
        datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return False
    return True


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


TYPES = {
    "String": lambda value: isinstance(value, str) and value != "",
    "Number": is_number,
    "Object": lambda value: isinstance(value, dict) and value != {},
    "Array": lambda value: isinstance(value, list),
    "Date": is_date,
}

# The document's "Emitted Events", word for word.
PAYLOADS = {
    "attendanceSessionStarted": {
        "session_id": "String",
        "session": "Object",
        "totalStudents": "Number",
        "attendanceRecords": "Array",
    },
    "studentJoinedAttendance": {
        "session_id": "String",
        "student_id": "String",
        "student_name": "String",
        "joined_at": "Date",
    },
    "attendanceSessionJoined": {"session_id": "String", "message": "String"},
    "attendanceUpdated": {
        "session_id": "String",
        "student_id": "String",
        "status": "String",
        "attendanceRecord": "Object",
        "updated_by": "String",
        "updated_at": "Date",
    },
    "studentMarkedPresent": {"session_id": "String", "student_id": "String", "attendanceRecord": "Object"},
    "studentMarkedAbsent": {"session_id": "String", "student_id": "String", "attendanceRecord": "Object"},
    "attendanceSessionData": {
        "session_id": "String",
        "session": "Object",
        "attendanceRecords": "Array",
        "statistics": "Object",
    },
    "attendanceBulkUpdated": {
        "session_id": "String",
        "updatedRecords": "Array",
        "updated_by": "String",
        "updated_at": "Date",
    },
    "attendanceBulkUpdateComplete": {"session_id": "String", "updatedRecords": "Array", "totalUpdated": "Number"},
    "attendanceSessionEnded": {
        "session_id": "String",
        "finalData": "Object",
        "ended_by": "String",
        "ended_at": "Date",
    },
    "attendanceSessionEndedConfirm": {"session_id": "String", "finalData": "Object"},
    "attendanceError": {"message": "String"},
}


class Client:
    """One user's socket. What it is sent waits in a queue for each event."""

    def __init__(self, uid):
        self.uid = uid
        self.faults = []
        self.seen = []
        self.queues = {event: queue.Queue() for event in PAYLOADS}
        self.socket = socketio.Client(reconnection=False)
        for event in PAYLOADS:
            self.socket.on(event, lambda *arguments, event=event: self.take(event, arguments))
        auth = {"token": TASK["tokens"][uid]}
        self.socket.connect(URL, auth=auth, transports=[TRANSPORT], wait_timeout=PATIENCE_S)

    def take(self, event, arguments):
        self.seen.append(event)
        if len(arguments) != 1 or not isinstance(arguments[0], dict):
            self.faults.append(f"{event} has other arguments than one object: {arguments!r}")
            return
        payload = arguments[0]
        for field, kind in PAYLOADS[event].items():
            if field not in payload:
                self.faults.append(f"{event}.{field} is missing")
            elif not TYPES[kind](payload[field]):
                self.faults.append(f"{event}.{field} is no {kind}: {payload[field]!r}")
        self.queues[event].put(payload)

    def emit(self, event, **payload):
        self.socket.emit(event, payload)

    def next(self, event):
        try:
            return self.queues[event].get(timeout=PATIENCE_S)
        except queue.Empty:
            raise SystemExit(f"{self.uid} waited in vain for {event}; seen: {self.seen}") from None


def run_class():
    teacher, stranger = Client("teacher"), Client("stranger")
    students = [Client(one["uid"]) for one in TASK["students"]]
    ids = [one["student_id"] for one in TASK["students"]]
    steps = {"transports": [one.socket.transport() for one in (teacher, *students)]}

    students[0].emit("joinAttendanceSession", session_id=SESSION)
    steps["joined_too_early"] = students[0].next("attendanceError")
    students[0].emit("startAttendanceSession", session_id=SESSION)
    steps["started_by_student"] = students[0].next("attendanceError")

    teacher.emit("startAttendanceSession", session_id=SESSION)
    steps["started"] = teacher.next("attendanceSessionStarted")

    steps["joined"], steps["notices"] = [], []
    for student in students:
        student.emit("joinAttendanceSession", session_id=SESSION)
        steps["joined"].append(student.next("attendanceSessionJoined"))
        steps["notices"].append(teacher.next("studentJoinedAttendance"))

    everyone = (teacher, *students)
    teacher.emit("markStudentPresent", session_id=SESSION, student_id=ids[0])
    steps["present"] = teacher.next("studentMarkedPresent")
    steps["present_told"] = [one.next("attendanceUpdated") for one in everyone]
    teacher.emit("markStudentAbsent", session_id=SESSION, student_id=ids[0])
    steps["absent"] = teacher.next("studentMarkedAbsent")
    steps["absent_told"] = [one.next("attendanceUpdated") for one in everyone]

    updates = [
        {"student_id": ids[0], "status": "present"},
        {"student_id": ids[1], "status": "absent"},
        {"student_id": ids[2], "status": "present"},
    ]
    teacher.emit("bulkUpdateAttendance", session_id=SESSION, attendanceUpdates=updates)
    steps["bulk"] = teacher.next("attendanceBulkUpdateComplete")
    steps["bulk_told"] = [one.next("attendanceBulkUpdated") for one in everyone]

    teacher.emit("getAttendanceSessionData", session_id=SESSION)
    steps["data"] = teacher.next("attendanceSessionData")

    stranger.emit("endAttendanceSession", session_id=SESSION)
    steps["ended_by_stranger"] = stranger.next("attendanceError")
    teacher.emit("endAttendanceSession", session_id=SESSION)
    steps["confirmed"] = teacher.next("attendanceSessionEndedConfirm")
    steps["ended_told"] = [one.next("attendanceSessionEnded") for one in everyone]
    students[0].emit("joinAttendanceSession", session_id=SESSION)
    steps["joined_too_late"] = students[0].next("attendanceError")

    clients = (teacher, stranger, *students)
    for one in clients:
        one.socket.disconnect()
    faults = [f"{one.uid}: {fault}" for one in clients for fault in one.faults]
    return {"steps": steps, "faults": faults, "seen": {one.uid: one.seen for one in clients}}


def refusal(auth):
    """What a client that isn't let in is told."""
    told = queue.Queue()
    client = socketio.Client(reconnection=False)
    client.on("connect_error", told.put)
    try:
        client.connect(URL, auth=auth, transports=[TRANSPORT], wait_timeout=PATIENCE_S)
    except socketio.exceptions.ConnectionError:
        return told.get(timeout=PATIENCE_S)
    client.disconnect()
    return "let in"


result = run_class()
result["refusals"] = {
    "without a token": refusal(None),
    "with a bad token": refusal({"token": "not a token"}),
    "unknown": refusal({"token": TASK["tokens"]["nobody"]}),
}
json.dump(result, sys.stdout)
