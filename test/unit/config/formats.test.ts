// YAML, JSON, TOML and XML: what each value becomes, and where each fault is.
import { describe, expect, test } from 'vitest'
import { load, refusalOf } from './world.ts'

const loadFile = (name: string, text: string, section = '') => load([`${name}${section}`], { files: { [name]: text } })

describe.each([
  ['app.yaml', 'uwsgi:\n  workers: 3\n  socket: [":1", ":2"]\n  need-app: true\n  nonsense: 1\nprod:\n  workers: 9\n', 5],
  [
    'app.json',
    '{"uwsgi": {"workers": 3,\n"socket": [":1", ":2"],\n"need-app": true,\n\n"nonsense": 1}, "prod": {"workers": 9}}\n',
    5,
  ],
  ['app.toml', '[uwsgi]\nworkers = 3\nsocket = [":1", ":2"]\nneed-app = true\nnonsense = 1\n[prod]\nworkers = 9\n', 5],
  [
    'app.xml',
    '<c><uwsgi>\n<workers>3</workers>\n<socket>:1</socket><socket>:2</socket>\n<need-app/>\n<nonsense>1</nonsense></uwsgi>\n<uwsgi id="prod"><workers>9</workers></uwsgi></c>',
    5,
  ],
])('%s', (name, text, line) => {
  test('holds values, lists and flags', () => {
    const { settings, sources, warnings } = loadFile(name, text)
    expect(settings).toMatchObject({ workers: 3, socket: [':1', ':2'], needApp: true })
    expect(sources.get('workers')).toMatch(new RegExp(`^${name}:\\d$`))
    expect(warnings).toEqual([`${name}:${line}: unknown option 'nonsense'; only applications can see it`])
  })

  test('may be read from another section', () => {
    expect(loadFile(name, text, ':prod').settings.workers).toBe(9)
  })

  test('has to have the section asked for', () => {
    expect(refusalOf(() => loadFile(name, text, ':dev'))).toBe(
      `CONFIG_BAD_VALUE command line: there is no section 'dev' in ${name} (it has 'uwsgi', 'prod')`,
    )
  })
})

describe('YAML', () => {
  const optOf = (text: string) => loadFile('app.yml', text).opt

  test('values are texts as written', () => {
    const opt = optOf('uwsgi:\n  a: true\n  b: 010\n  c: ~\n  d:\n  e: "q\\n"\n  f: 1e3 # comment\n  g: |\n    one\n    two\n')
    expect(Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => [name, opt.get(name)?.[0]]))).toEqual({
      a: 'true',
      b: '010',
      c: '~',
      d: '',
      e: 'q\n',
      f: '1e3',
      g: 'one\ntwo\n',
    })
  })

  test('sequences and repeated keys repeat the option, anchors are followed', () => {
    const opt = optOf('base: &dirs\n  - /a\n  - /b\nuwsgi:\n  pp: *dirs\n  pp: /c\n  x: [&one 1, *one]\n')
    expect(opt.get('pp')).toEqual(['/a', '/b', '/c'])
    expect(opt.get('x')).toEqual(['1', '1'])
  })

  test('the section itself may be an alias, or empty', () => {
    expect(loadFile('app.yml', 'a: &a\n  workers: 2\nuwsgi: *a\n').settings.workers).toBe(2)
    expect(loadFile('app.yml', 'uwsgi:\n').warnings).toEqual([])
  })

  test('maps and lists within are warned about and left', () => {
    const { warnings, opt } = loadFile('app.yml', 'uwsgi:\n  a: {b: 1}\n  c: [[1], 2]\n')
    expect(warnings).toEqual([
      "app.yml:2: 'a' holds a map, which no option takes; it is ignored",
      "app.yml:3: 'c' holds a list in a list, which no option takes; it is ignored",
      "app.yml:3: unknown option 'c'; only applications can see it",
    ])
    expect(opt.get('c')).toEqual(['2'])
  })

  test.each([
    ['uwsgi:\n  a: b: c\n', 'app.yml:2: not YAML: Nested mappings are not allowed in compact mappings'],
    ['uwsgi:\n  a: 1\n---\nb: 2\n', 'app.yml:3: the file holds more than one document'],
    ['- 1\n- 2\n', "app.yml:1: the file holds no map with the key 'uwsgi'"],
    ['uwsgi: 5\n', "app.yml:1: 'uwsgi' holds no map of options"],
    ['uwsgi:\n  [a, b]: 1\n', 'app.yml:2: an option name must be a plain text'],
    ['uwsgi:\n  a: *nope\n', "app.yml:2: the alias '*nope' has no anchor"],
  ])('%j is refused', (text, refusal) => {
    expect(refusalOf(() => loadFile('app.yml', text))).toBe(`CONFIG_UNREADABLE ${refusal}`)
  })
})

describe('JSON', () => {
  test('true is 1, false and null are 0, numbers keep their digits', () => {
    const { opt } = loadFile(
      'app.json',
      '{"uwsgi": {"a": true, "b": false, "c": null, "d": 12345678901234567890.10, "e": "\\u00e9\\n"}}',
    )
    expect(['a', 'b', 'c', 'd', 'e'].map((name) => opt.get(name)?.[0])).toEqual(['1', '0', '0', '12345678901234567890.10', 'é\n'])
  })

  test('a repeated key counts each time, and a brace in a text is a text', () => {
    const { opt } = loadFile('app.json', '{"x": [{"}": "]"}, 1], "uwsgi": {"pp": ["/a{", 2], "pp": "\\"}"}}')
    expect(opt.get('pp')).toEqual(['/a{', '2', '"}'])
  })

  test('objects and arrays within are warned about and left', () => {
    const { warnings } = loadFile('app.json', '{"uwsgi": {"workers": [1, [2]],\n "a": {"b": [1, {}]}}}')
    expect(warnings).toEqual([
      "app.json:1: 'workers' holds an array in an array, which no option takes; it is ignored",
      "app.json:2: 'a' holds an object, which no option takes; it is ignored",
    ])
  })

  test.each([
    ['{\n "uwsgi": {"a": 1,}\n}', 'app.json:2: not JSON: Expected double-quoted property name in JSON'],
    ['{\n "uwsgi": ', 'app.json:2: not JSON: Unexpected end of JSON input'],
    ['[1]', "app.json:1: the file holds no object with the key 'uwsgi'"],
    ['{\n\n"uwsgi": []}', "app.json:3: 'uwsgi' holds no object of options"],
  ])('%j is refused', (text, refusal) => {
    expect(refusalOf(() => loadFile('app.json', text))).toBe(`CONFIG_UNREADABLE ${refusal}`)
  })

  test('a text of a million characters and nesting of a hundred thousand are walked', () => {
    const nested = `${'['.repeat(5000)}${']'.repeat(5000)}`
    const { opt } = loadFile('app.json', `{"x": ${nested}, "uwsgi": {"a": "${'\\\\'.repeat(400_000)}"}}`)
    expect(opt.get('a')?.[0]).toHaveLength(400_000)
  })
})

describe('TOML', () => {
  test('numbers and booleans become texts, large integers exactly', () => {
    const { opt } = loadFile('app.toml', '[uwsgi]\na = true\nb = 12345678901234567890\nc = 0.50\nd = 1979-05-27\ne = ["x", 1]\n')
    expect(['a', 'b', 'c', 'd'].map((name) => opt.get(name)?.[0])).toEqual(['true', '12345678901234567890', '0.5', '1979-05-27'])
    expect(opt.get('e')).toEqual(['x', '1'])
  })

  test('lines are found in tables, in dotted keys, and not within texts', () => {
    const dotted = 'uwsgi.workers = 2\nuwsgi."need-app" = true\n[other]\nlogto = 1\n'
    const places = [...loadFile('app.toml', dotted).sources].filter(([, source]) => source !== 'default')
    expect(Object.fromEntries(places)).toEqual({ workers: 'app.toml:1', 'need-app': 'app.toml:2' })
    const texts = '[uwsgi]\nlog-format = """\nworkers = 9\n"""\nworkers = 2\n'
    expect(loadFile('app.toml', texts).sources.get('workers')).toBe('app.toml:5')
    expect(loadFile('app.toml', '\n[ "uwsgi" ] # c\n\nworkers = 2\n').sources.get('workers')).toBe('app.toml:4')
    expect(loadFile('app.toml', 'uwsgi = { workers = 2 }\n').sources.get('workers')).toBe('app.toml')
  })

  test.each([
    ['[uwsgi]\na = \n', 'app.toml:2: not TOML: invalid value'],
    ['uwsgi = 3\n', "app.toml: 'uwsgi' is no table of options"],
  ])('%j is refused', (text, refusal) => {
    expect(refusalOf(() => loadFile('app.toml', text))).toBe(`CONFIG_UNREADABLE ${refusal}`)
  })

  test('tables and arrays within are warned about and left', () => {
    expect(loadFile('app.toml', '[uwsgi]\nworkers = [[1]]\n[uwsgi.sub]\nx = 1\n').warnings).toEqual([
      "app.toml:2: 'workers' holds an array in an array, which no option takes; it is ignored",
      "app.toml: 'sub' holds a table, which no option takes; it is ignored",
    ])
  })
})

describe('XML', () => {
  test('blanks stay, an empty element is 1, entities and CDATA are read', () => {
    const { opt } = loadFile(
      'app.xml',
      '<?xml version="1.0"?>\n<!-- c -->\n<uwsgi><a> x </a><b/><c></c><d>&lt;&amp;&#x41;</d><e><![CDATA[<&]]></e><f>a<!-- c -->b</f></uwsgi>',
    )
    expect(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => opt.get(name)?.[0])).toEqual([' x ', '1', '1', '<&A', '<&', 'ab'])
  })

  test('numbers and flags may have blanks around them', () => {
    expect(loadFile('app.xml', '<uwsgi><workers> 4\n</workers><need-app> true </need-app></uwsgi>').settings).toMatchObject({
      workers: 4,
      needApp: true,
    })
  })

  test('elements within are warned about and left', () => {
    expect(loadFile('app.xml', '<uwsgi>\n<app mountpoint="/x"><script>y</script></app></uwsgi>').warnings).toEqual([
      "app.xml:2: 'app' holds elements, which no option takes; it is ignored",
    ])
  })

  test.each([
    [
      '<uwsgi>\n<a></b></uwsgi>',
      "app.xml:2: not XML: Expected closing tag 'a' (opened in line 2, col 1) instead of closing tag 'b'.",
    ],
    ['', 'app.xml:1: not XML: Start tag expected.'],
    [
      '<?xml version="1.0"?>\n<!DOCTYPE u [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><uwsgi><x>&b;</x></uwsgi>',
      'app.xml:2: a document type declaration is not accepted',
    ],
  ])('%j is refused', (text, refusal) => {
    expect(refusalOf(() => loadFile('app.xml', text))).toBe(`CONFIG_UNREADABLE ${refusal}`)
  })

  test('a single element needs no id, several do', () => {
    expect(loadFile('app.xml', '<uwsgi id="a"><workers>2</workers></uwsgi>').settings.workers).toBe(2)
    const two = '<c><uwsgi id="a"><workers>2</workers></uwsgi><uwsgi id="b"><workers>3</workers></uwsgi></c>'
    expect(loadFile('app.xml', two).warnings).toEqual(["command line: there is no section 'uwsgi' in app.xml (it has 'a', 'b')"])
  })

  test('a file without the element is warned about', () => {
    expect(loadFile('app.xml', '<config><x/></config>').warnings).toEqual([
      "command line: there is no section 'uwsgi' in app.xml",
    ])
  })
})
