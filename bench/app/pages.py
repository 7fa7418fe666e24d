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


def main():
    profile = large_profile()
    table = Table(f"Open, page, search: {MESSAGES} messages, through sotto-cli rpc")
    opened, again, search = [], [], {name: [] for name, _ in SEARCHES}
    for _ in range(STARTS):
        # A fresh process: nothing decrypted is in memory.
        rpc = Rpc(profile)
        rpc.ask("profile_status")
        account = rpc.ask("account_list")[0]["id"]
        one, conversation = rpc.timed("conversation_open", account=account, address="person0@example.org")
        two, page = rpc.timed("message_page", conversation=conversation["id"], limit=50)
        opened.append(one + two)
        times = []
        for _ in range(200):
            if not page["older"]:
                break
            took, page = rpc.timed("message_page", conversation=conversation["id"], before=page["messages"][0]["id"], limit=50)
            times.append(took)
        one, _ = rpc.timed("conversation_open", account=account, address="person0@example.org")
        two, _ = rpc.timed("message_page", conversation=conversation["id"], limit=50)
        again.append(one + two)
        rpc.end()
    for name, words in SEARCHES:
        rpc = Rpc(profile)
        rpc.ask("profile_status")
        search[name] = [rpc.timed("search", query=words, limit=50) for _ in range(6)]
        rpc.end()
    figure = statistics.median(opened)
    table.add("open the conversation, first look after a start", ms(figure), "≤ 30 ms", figure <= 0.030)
    table.add("open it again", ms(statistics.median(again)), "≤ 30 ms", statistics.median(again) <= 0.030)
    figure = statistics.median(times)
    table.add("page of 50 while scrolling, median of 200", ms(figure), "≤ 16 ms", figure <= 0.016)
    worst = sorted(times)[-max(1, len(times) // 100)]
    table.add("page of 50 while scrolling, 99 of 100 within", ms(worst), "≤ 16 ms", worst <= 0.016)
    for name, figures in search.items():
        first, rest = figures[0][0], statistics.median(took for took, _ in figures[1:])
        hits = len(figures[0][1]["hits"])
        table.add(f"search {name} ({hits} found), first / again", f"{ms(first)} / {ms(rest)}", "≤ 20 ms", first <= 0.020)
    table.print()


main()
