"""A conversation of 100,000 messages opened and paged through, and 1,000,000 searched, as a shell does it."""

import statistics

from lab import MESSAGES, Rpc, Table, large_profile, ms

RARE = "quetzalcoatlus"
SEARCHES = (
    ("a rare word", RARE), ("a common word", "wave"), ("two words", "wave stone"),
    ("a word and a rare one", f"wave {RARE}"), ("a beginning of 2 letters", "wa"), ("a beginning of 4 letters", "ston"),
    ("a rare beginning", RARE[:9]), ("two Chinese characters", "图书"), ("four Chinese characters", "图书馆前"),
    ("a word that is nowhere", "xylographer"),
)
STARTS = 5
LOOK = {"limit": 50}


class Times:
    """What a person waits, and the processor time of it: the steadier figure on a busy machine."""

    def __init__(self):
        self.wall, self.own = [], []

    def add(self, rpc, *requests):
        """Asks one after the other; the last answer comes back."""
        wall = own = 0
        for method, params in requests:
            took, answer = rpc.timed(method, **params)
            wall += took
            own += rpc.spent
        self.wall.append(wall)
        self.own.append(own)
        return answer

    def report(self, table, what, budget, pick=statistics.median):
        figure = pick(self.wall)
        table.add(what, f"{ms(figure)} ({ms(pick(self.own))})", f"≤ {budget} ms", figure <= budget / 1e3)


def nearly_worst(values):
    return sorted(values)[-max(1, len(values) // 100)]


def main():
    profile = large_profile()
    table = Table(f"Open, page, search: {MESSAGES} messages, through sotto-cli rpc; in brackets its processor time")
    first, again, scroll = Times(), Times(), Times()
    for _ in range(STARTS):
        # A fresh process: nothing decrypted is in memory.
        rpc = Rpc(profile).open()
        account = rpc.ask("account_list")[0]["id"]
        _, view = rpc.timed("conversation_open", account=account, address="person1@example.org")
        look = ("conversation_open", {"account": account, "address": "person0@example.org"})
        # The first conversation is the large one, so its id is known before it was looked at.
        page = ("message_page", {"conversation": view["id"] - 1, **LOOK})
        answer = first.add(rpc, look, page)
        for _ in range(100):
            if not answer["older"]:
                break
            before = {"before": answer["messages"][0]["id"], **LOOK}
            answer = scroll.add(rpc, ("message_page", {"conversation": view["id"] - 1, **before}))
        again.add(rpc, look, page)
        rpc.end()
    first.report(table, "open the conversation, first look after a start", 30)
    again.report(table, "open it again", 30)
    scroll.report(table, "page of 50 while scrolling, median", 16)
    scroll.report(table, "page of 50 while scrolling, 99 of 100 within", 16, nearly_worst)
    for name, words in SEARCHES:
        first, again = Times(), Times()
        for _ in range(STARTS):
            rpc = Rpc(profile).open()
            hits = len(first.add(rpc, ("search", {"query": words, **LOOK}))["hits"])
            again.add(rpc, ("search", {"query": words, **LOOK}))
            rpc.end()
        first.report(table, f"search {name} ({hits} found), first", 20)
        again.report(table, f"search {name}, again", 20)
    table.print()


main()
