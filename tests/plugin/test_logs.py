import logging

from label_studio_crowd.logs import Repetitions


def test_a_message_that_repeats_is_counted_not_repeated():
    time, said = [0.0], []
    repetitions = Repetitions(clock=lambda: time[0])

    def log(message, *args):
        record = logging.LogRecord("crowd", logging.ERROR, "", 0, message, args, None)
        if repetitions.filter(record):
            said.append(record.getMessage())

    for number in range(100):
        log("The store fails (%s).", "disk is full")
        log("Project %d is late.", number % 2)
    time[0] = 61.0
    log("The store fails (%s).", "disk is full")
    assert said == [
        "The store fails (disk is full).",
        "Project 0 is late.",
        "Project 1 is late.",
        "The store fails (disk is full). (99 more of the same since it was last said.)",
    ]
