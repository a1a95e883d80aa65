"""The mail text: what is inserted and how, what is refused, and that nothing else can happen."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertpath.eventbridge.template import (
    MAX_PATHS,
    MAX_TEMPLATE_LENGTH,
    RESERVED_VARIABLES,
    TemplateError,
    render,
)

EVENT = {
    "version": "0",
    "detail-type": "AWS Console Sign In via CloudTrail",
    "source": "aws.signin",
    "account": "111111111111",
    "resources": ["arn:a", {"ARN": "arn:b", "tags": [{"key": "k"}]}],
    "detail": {
        "eventName": "ConsoleLogin",
        "readOnly": False,
        "errorMessage": None,
        "count": 5,
        "ratio": 0.5,
        "user_agent-1": "x",
        "tag/owner": "y",
        "empty": "",
        "name": "Zoë",
        "userIdentity": {"type": "IAMUser", "userName": "BreakglassUser"},
    },
}


def test_a_text_template_becomes_quoted_lines():
    body = render(
        {"event": "$.detail.eventName", "user": "$.detail.userIdentity.userName", "account": "$.account"},
        '"Break-glass: <event>"\n"by <user> in <account>, <event> again"',
        EVENT,
    )
    assert body == '"Break-glass: ConsoleLogin"\n"by BreakglassUser in 111111111111, ConsoleLogin again"'


# (path, what stands in a text line for it)
IN_TEXT = [
    ("$.source", "aws.signin"),
    ("$.detail-type", "AWS Console Sign In via CloudTrail"),
    ("$.detail.user_agent-1", "x"),
    ("$.detail.tag/owner", "y"),
    ("$.detail.name", "Zoë"),
    ("$.detail.empty", ""),
    ("$.detail.count", "5"),
    ("$.detail.ratio", "0.5"),
    ("$.detail.readOnly", "false"),
    ("$.detail.errorMessage", "null"),
    ("$.detail.userIdentity", '{"type":"IAMUser","userName":"BreakglassUser"}'),
    ("$.resources[0]", "arn:a"),
    ("$.resources[1].ARN", "arn:b"),
    ("$.resources[1].tags", '[{"key":"k"}]'),
    ("$.resources[1].tags[0].key", "k"),
    ("$.resources[2]", ""),
    ("$.resources.ARN", ""),
    ("$.resources[0].ARN", ""),
    ("$.source[0]", ""),
    ("$.source.x", ""),
    ("$.detail[0]", ""),
    ("$.detail.nothing", ""),
    ("$.detail.nothing.deeper[3]", ""),
    ("$.detail.errorMessage.deeper", ""),
    ("$.Source", ""),
]


@pytest.mark.parametrize(("path", "text"), IN_TEXT)
def test_the_value_of_a_path_in_a_line_of_text(path, text):
    assert render({"v": path}, '"before <v> after"', EVENT) == f'"before {text} after"'


def test_the_whole_event_is_the_path_dollar():
    assert render({"v": "$"}, '"<v>"', {"a": [1, None, "ü"]}) == '"{"a":[1,null,"ü"]}"'


# (what it shows, template, body)
IN_JSON = [
    ("text gets quotes outside a string", '{"e": <event>}', '{"e": "ConsoleLogin"}'),
    ("text gets no second quotes inside a string", '{"e": "<event>!"}', '{"e": "ConsoleLogin!"}'),
    ("an escaped quote does not end a string", r'{"e": "\"<event>\""}', r'{"e": "\"ConsoleLogin\""}'),
    (
        "an escaped backslash does not hide a quote",
        r'{"e": "\\", "f": <event>}',
        r'{"e": "\\", "f": "ConsoleLogin"}',
    ),
    (
        "other values get no quotes",
        '{"c": <count>, "i": [<id>, 1]}',
        '{"c": 5, "i": [{"type":"IAMUser"}, 1]}',
    ),
    ("a missing value is empty text", '{"m": <missing>, "n": "<missing>"}', '{"m": "", "n": ""}'),
    ("the layout is kept", '\n{\n  "e" :<event>\n}\n', '\n{\n  "e" :"ConsoleLogin"\n}\n'),
    ("a list is JSON too", '[<event>, "<count>"]', '["ConsoleLogin", "5"]'),
    ("a bare placeholder is a line of text", "<event>", '"ConsoleLogin"'),
    ("text that begins like JSON is text", '"{[<event>"', '"{[ConsoleLogin"'),
    ("empty lines are kept", '"a"\n\n""\n"<event>"', '"a"\n\n""\n"ConsoleLogin"'),
    ("a lone angle bracket is text", '"5 > 3 > <event> < 9"', '"5 > 3 > ConsoleLogin < 9"'),
    ("no placeholder at all", '"nothing to fill"', '"nothing to fill"'),
]


@pytest.mark.parametrize(("template", "body"), [pytest.param(*row[1:], id=row[0]) for row in IN_JSON])
def test_where_a_placeholder_stands_decides_its_quotes(template, body):
    paths = {"event": "$.eventName", "count": "$.count", "id": "$.userIdentity", "missing": "$.nothing"}
    event = {"eventName": "ConsoleLogin", "count": 5, "userIdentity": {"type": "IAMUser"}}
    assert render(paths, template, event) == body


HOSTILE = [
    'say "hello"',
    "back\\slash \\n \\u0041",
    'one"\n"two',
    "carriage\r\nreturn",
    "<b>bold</b>",
    "<other>",
    "<aws.events.rule-name>",
    "< & >",
    "\\1 \\g<other> {0} %s",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_arrives_unescaped_and_is_not_expanded_again(value):
    event = {"agent": value, "other": "SECRET"}
    paths = {"agent": "$.agent", "other": "$.other"}
    assert render(paths, '"agent: <agent>"', event) == f'"agent: {value}"'
    assert render(paths, '{"agent": <agent>}', event) == f'{{"agent": "{value}"}}'


def test_a_quote_in_a_value_does_not_change_how_the_next_placeholder_is_filled():
    assert (
        render({"a": "$.a", "b": "$.b"}, '{"x": "<a>", "y": <b>}', {"a": '"', "b": "z"})
        == '{"x": """, "y": "z"}'
    )


def test_two_placeholders_do_not_grow_together():
    assert render({"a": "$.a", "b": "$.b"}, '"<a>b>"', {"a": "<", "b": "SECRET"}) == '"<b>"'


@pytest.mark.parametrize("name", sorted(RESERVED_VARIABLES))
def test_variables_that_eventbridge_fills_need_no_path_and_are_empty_here(name):
    assert render({}, f'"a<{name}>b"', EVENT) == '"ab"'
    assert render({}, f'{{"a": <{name}>}}', EVENT) == '{"a": ""}'


# (what it shows, input paths, template, a part of the message)
REFUSED = [
    (
        "no path for a placeholder",
        {"a": "$.a"},
        '"<a> <b>"',
        "<b> at character 6, which no input path defines",
    ),
    ("a name is compared with its case", {"a": "$.a"}, '"<A>"', "<A> at character 2"),
    ("a space in a placeholder", {"a": "$.a"}, '"< a>"', "< a> at character 2"),
    ("an empty placeholder", {}, '"<>"', "<> at character 2"),
    ("angle brackets used as signs", {}, '"1 < 2 and 3 > 2"', "< 2 and 3 > at character 4"),
    ("an unknown predefined variable", {}, '"<aws.events.account>"', "<aws.events.account> at character 2"),
    ("a predefined name with a path", {"aws.events.rule-name": "$.a"}, '"x"', "is reserved by AWS"),
    ("a name that begins with AWS.", {"AWS.a": "$.a"}, '"x"', "'AWS.a' is reserved by AWS"),
    ("a dot in a name", {"a.b": "$.a"}, '"x"', "'a.b' is not valid"),
    ("an umlaut in a name", {"ä": "$.a"}, '"x"', "'ä' is not valid"),
    ("an empty name", {"": "$.a"}, '"x"', "'' is not valid"),
    ("a newline after a name", {"a\n": "$.a"}, '"x"', "is not valid"),
    ("a name that is too long", {"a" * 257: "$.a"}, '"x"', "use 1 to 256"),
    ("a path without the dollar", {"a": "detail.a"}, '"x"', "the path 'detail.a' of 'a' is not valid"),
    ("an empty path", {"a": ""}, '"x"', "the path '' of 'a' is not valid"),
    ("a path with two dots", {"a": "$..a"}, '"x"', "the path '$..a'"),
    ("a path that ends in a dot", {"a": "$.a."}, '"x"', "the path '$.a.'"),
    ("a path with brackets for a name", {"a": "$.detail['a']"}, '"x"', "the path"),
    ("a path with a wildcard", {"a": "$.a[*].b"}, '"x"', "the path '$.a[*].b'"),
    ("a path with a negative index", {"a": "$.a[-1]"}, '"x"', "the path '$.a[-1]'"),
    ("a path with an index into the event", {"a": "$[0]"}, '"x"', "the path '$[0]'"),
    ("a newline after a path", {"a": "$.a\n"}, '"x"', "the path"),
    ("a path that is too long", {"a": "$." + "a" * 255}, '"x"', "at most 256 characters"),
    ("an empty template", {}, "", "0 characters"),
    ("a blank template", {}, " \n ", "blank"),
    ("text without quotes", {}, "hello", "line 1 of the template is not a JSON string"),
    ("a second line without quotes", {}, '"a"\nb', "line 2 of the template is not a JSON string"),
    ("a quote that is not closed", {}, '"a', "line 1"),
    ("a line break in a string", {}, '"a\nb"', "line 1"),
    ("two strings on a line", {}, '"a" "b"', "line 1"),
    ("a number for a line", {}, "5", "line 1"),
    ("JSON that is not closed", {}, '{"a": "b"', "begins like JSON and is not JSON"),
    ("two JSON objects", {}, '{"a": 1}\n{"b": 2}', "begins like JSON and is not JSON"),
    ("text next to a placeholder in JSON", {"a": "$.a"}, '{"x": <a>y}', "begins like JSON and is not JSON"),
    ("a placeholder for a key", {"a": "$.a"}, "{<a>: 1}", "begins like JSON and is not JSON"),
    ("a placeholder in a key", {"a": "$.a"}, '{"x": [{"k<a>": 1}]}', "a placeholder in the key 'k<a>'"),
    ("JSON that is too deep", {}, "[" * 8000, "begins like JSON and is not JSON"),
]


@pytest.mark.parametrize(
    ("paths", "template", "part"), [pytest.param(*row[1:], id=row[0]) for row in REFUSED]
)
def test_what_aws_refuses_is_refused_with_its_place(paths, template, part):
    with pytest.raises(TemplateError) as refusal:
        render(paths, template, EVENT)
    assert part in str(refusal.value)


def test_a_hundred_paths_are_taken_and_one_more_is_refused():
    paths = {f"p{i}": "$.source" for i in range(MAX_PATHS)}
    assert MAX_PATHS == 100
    assert render(paths, '"<p0><p99>"', EVENT) == '"aws.signinaws.signin"'
    with pytest.raises(TemplateError, match="there are 101 input paths"):
        render({**paths, "more": "$.source"}, '"x"', EVENT)


def test_the_longest_template_is_taken_and_one_character_more_is_refused():
    assert MAX_TEMPLATE_LENGTH == 8192
    longest = '"' + "x" * 8190 + '"'
    assert render({}, longest, EVENT) == longest
    with pytest.raises(TemplateError, match="8193 characters; AWS takes 1 to 8,192 characters"):
        render({}, longest + "\n", EVENT)


def test_the_longest_names_and_paths_are_taken():
    name, key = "n" * 256, "k" * 254
    assert render({name: f"$.{key}"}, f'"<{name}>"', {key: "v"}) == '"v"'


def test_a_value_too_deep_to_print_is_refused_by_name():
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(TemplateError, match="the value of <v> cannot be written as JSON"):
        render({"v": "$.deep"}, '"<v>"', {"deep": deep})
    while deep:  # Freed from the outside in, because freeing it in one go recurses as well.
        deep = deep[0]


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.dictionaries(st.sampled_from(["a", "b"]), ANY_JSON, max_size=2)
PIECES = st.sampled_from(
    [
        "<a>",
        "<b>",
        "<c>",
        "<aws.events.event>",
        '"',
        "\\",
        "\n",
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "<",
        ">",
        "x",
        " ",
    ]
)
TEMPLATES = st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=20)
PATHS = st.dictionaries(
    st.sampled_from(["a", "b"]) | st.text(max_size=3),
    st.sampled_from(["$", "$.a", "$.b[0]", "$.a.b[1].c"]) | st.text(alphabet="$.ab[01]*", max_size=8),
    max_size=3,
)


@given(paths=PATHS, template=TEMPLATES, event=EVENTS)
def test_any_input_raises_nothing_but_a_template_error(paths, template, event):
    try:
        body = render(paths, template, event)
    except TemplateError:
        body = ""
    assert isinstance(body, str)


@given(before=st.text(), value=st.text(), after=st.text())
def test_any_text_value_stands_between_its_neighbours_as_it_is(before, value, after):
    line = json.dumps(before.replace("<", "")), json.dumps(after.replace(">", ""))
    body = render({"v": "$.v"}, f"{line[0][:-1]}<v>{line[1][1:]}", {"v": value})
    assert body == f"{line[0][:-1]}{value}{line[1][1:]}"


@given(value=st.none() | st.booleans() | st.integers() | st.lists(st.integers() | st.text()))
def test_a_value_that_is_no_text_can_be_read_back_from_a_json_template(value):
    assert json.loads(render({"v": "$.v"}, '{"x": <v>}', {"v": value})) == {"x": value}
