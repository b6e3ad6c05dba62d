import json


def setting():
    return json.loads("{")


value = setting()
