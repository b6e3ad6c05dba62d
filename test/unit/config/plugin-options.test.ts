// Options that plugins bring: found before anything is judged, then options like any other, from every source.
import { describe, expect, test, vi } from 'vitest'
import {
  type AskedPlugin,
  type Configuration,
  loadConfiguration,
  loadSettings,
  type PluginLoader,
} from '../../../host/config/index.ts'
import { PolywsgiError } from '../../../host/errors.ts'
import type { PluginOption } from '../../../host/plugin/plugin-option.ts'
import { cwd, surroundingsOf, type World } from './world.ts'

const foobar: readonly PluginOption[] = [
  { name: 'foobar-greeting', shortcut: 'G', type: 'text', value: 'WORDS', default: 'hello', help: 'What it says.' },
  { name: 'foobar-times', type: 'integer', min: 1, max: 5, help: 'How often it says so.' },
  { name: 'foobar-limit', type: 'size', default: 1024, help: 'How much.' },
  { name: 'foobar-wait', type: 'seconds', help: 'How long.' },
  { name: 'foobar-loud', type: 'flag', help: 'Louder.' },
  { name: 'foobar-guest', type: 'list', separator: ',', value: 'NAME', help: 'Whom.' },
]

/** A loader that has these plugins, by name, and tells what it was asked for. */
const loaderOf = (
  plugins: Readonly<Record<string, unknown>>,
  magic: (argument: string) => boolean = () => false,
  requires: Readonly<Record<string, readonly string[]>> = {},
) => {
  const asked: (AskedPlugin & { directories: readonly string[] })[] = []
  const loader: PluginLoader = {
    load: async (one, directories) => {
      asked.push({ ...one, directories })
      const { text } = one
      if (text === 'python3') return undefined
      if (!Object.hasOwn(plugins, text)) throw new PolywsgiError('PLUGIN_LOAD', 'there is none')
      const source = { ...one, url: `file:///${text}` }
      const claim = (): void => {
        if (text === 'greedy') throw new PolywsgiError('PLUGIN_LOAD', 'it claims too much')
      }
      return { name: text, source, requires: requires[text] ?? [], options: plugins[text], claim }
    },
    magic,
  }
  return { loader, asked }
}

const load = async (
  argv: readonly string[],
  world: World = {},
  loader: PluginLoader = loaderOf({ foobar }).loader,
): Promise<Configuration> => await loadConfiguration(argv, world.env ?? {}, cwd, loader, surroundingsOf(world))

const optionsOf = ({ pluginOptions }: Configuration): Record<string, unknown> =>
  Object.fromEntries(pluginOptions.get('foobar') ?? [])

const refusalOf = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise
  } catch (error) {
    if (error instanceof PolywsgiError) return `${error.code} ${error.message}`
    throw error
  }
  throw new Error('nothing was refused')
}

const given = {
  'foobar-greeting': 'good day',
  'foobar-times': 3,
  'foobar-limit': 2048,
  'foobar-wait': 0.5,
  'foobar-loud': true,
  'foobar-guest': ['ann', 'bob'],
}

describe('the values are the same', () => {
  const ini = `[uwsgi]
foobar-greeting = good day
foobar-times = 3
foobar-limit = 2k
foobar-wait = 0.5
foobar-loud = true
foobar-guest = ann,bob
plugin = foobar
`
  test.each<[string, readonly string[], World]>([
    [
      'on the command line',
      '--plugin foobar --foobar-greeting=good@day --foobar-times 3 --foobar-limit=2k --foobar-wait .5 --foobar-loud --foobar-guest ann --foobar-guest bob'
        .split(' ')
        .map((word) => word.replace('@', ' ')),
      {},
    ],
    [
      'by beginnings and letters, ahead of the plugin',
      [
        '-G',
        'good day',
        '--foobar-t',
        '3',
        '--foobar-li',
        '2048',
        '--foobar-w=0.5',
        '--foobar-lo',
        '--foobar-gu',
        'ann,bob',
      ].concat(['--plugin', 'foobar']),
      {},
    ],
    [
      'in the environment',
      [],
      {
        env: {
          POLYWSGI_PLUGIN: 'foobar',
          POLYWSGI_FOOBAR_GREETING: 'good day',
          POLYWSGI_FOOBAR_TIMES: '3',
          UWSGI_FOOBAR_LIMIT: '2k',
          POLYWSGI_FOOBAR_WAIT: '0.5',
          POLYWSGI_FOOBAR_LOUD: '1',
          POLYWSGI_FOOBAR_GUEST: 'ann,bob',
        },
      },
    ],
    ['in an ini file', ['a.ini'], { files: { 'a.ini': ini } }],
    [
      'in a YAML file',
      ['a.yaml'],
      {
        files: {
          'a.yaml':
            'uwsgi:\n  foobar-greeting: good day\n  foobar-times: 3\n  foobar-limit: 2k\n  foobar-wait: 0.5\n  foobar-loud: true\n  foobar-guest: [ann, bob]\n  plugin: foobar\n',
        },
      },
    ],
    ['in a JSON file', ['a.json'], { files: { 'a.json': JSON.stringify({ uwsgi: { ...given, plugin: 'foobar' } }) } }],
    [
      'in a TOML file',
      ['a.toml'],
      {
        files: {
          'a.toml':
            '[uwsgi]\nfoobar-greeting = "good day"\nfoobar-times = 3\nfoobar-limit = "2k"\nfoobar-wait = 0.5\nfoobar-loud = true\nfoobar-guest = ["ann", "bob"]\nplugin = "foobar"\n',
        },
      },
    ],
    [
      'in an XML file',
      ['a.xml'],
      {
        files: {
          'a.xml':
            '<uwsgi><foobar-greeting>good day</foobar-greeting><foobar-times>3</foobar-times><foobar-limit>2k</foobar-limit><foobar-wait>0.5</foobar-wait><foobar-loud/><foobar-guest>ann</foobar-guest><foobar-guest>bob</foobar-guest><plugin>foobar</plugin></uwsgi>',
        },
      },
    ],
    [
      'by set, from a file that a file includes, with placeholders',
      ['a.ini'],
      {
        files: {
          'a.ini': '[uwsgi]\nset = foobar-times=3\nname = foobar\ninclude = b.ini\nword = day\n',
          'b.ini': `[uwsgi]\nplugins = %(name)\nfoobar-greeting = good %(word)\nfoobar-limit = 2048\nfoobar-wait = 0.5\nfoobar-loud = 1\nfoobar-guest = ann\nfoobar-guest = bob\n`,
        },
      },
    ],
  ])('%s', async (_, argv, world) => {
    const configuration = await load(argv, world)
    expect(optionsOf(configuration)).toEqual(given)
    expect(configuration.plugins).toEqual([{ text: 'foobar', isRequired: false, url: 'file:///foobar' }])
    expect(configuration.warnings).toEqual([])
    expect(configuration.opt.get('foobar-greeting')).toEqual(['good day'])
  })

  test("in an embedder's settings", async () => {
    const { loader } = loaderOf({ foobar })
    const settings = {
      plugin: ['foobar'],
      foobarGreeting: 'good day',
      foobarTimes: 3,
      foobarLimit: 2048,
      foobarWait: 0.5,
      foobarLoud: true,
      foobarGuest: ['ann', 'bob'],
    }
    const configuration = await loadSettings(settings, cwd, loader)
    expect(optionsOf(configuration)).toEqual(given)
    expect(configuration.opt.get('foobar-greeting')).toEqual(['good day'])
    expect(configuration.settings).not.toHaveProperty('foobarGreeting')
  })
})

test('what is not given has its default, or is not there', async () => {
  expect(optionsOf(await load(['--plugin', 'foobar']))).toEqual({ 'foobar-greeting': 'hello', 'foobar-limit': 1024 })
  expect(optionsOf(await load(['--plugin=foobar', '--foobar-loud=no']))).toMatchObject({ 'foobar-loud': false })
})

test('the strongest layer wins, and lists gather all', async () => {
  const files = { 'a.ini': '[uwsgi]\nfoobar-times = 1\nfoobar-guest = ann\nplugin = foobar\n' }
  const configuration = await load(['a.ini', '--foobar-guest', 'bob', '--foobar-times', '2'], { files })
  expect(optionsOf(configuration)).toMatchObject({ 'foobar-times': 2, 'foobar-guest': ['ann', 'bob'] })
  expect(configuration.sources.get('foobar-times')).toBe('command line')
})

describe('values are judged as those of our own options', () => {
  test.each([
    [['--foobar-times', '9'], 'CONFIG_BAD_VALUE command line: foobar-times = 9: must be at most 5'],
    [['--foobar-times', 'x'], "CONFIG_BAD_VALUE command line: foobar-times = x: 'x' is not a whole number"],
    [['--foobar-wait'], 'CONFIG_BAD_VALUE command line: --foobar-wait needs a value'],
    [['--foobar-limit', '1t'], "CONFIG_BAD_VALUE command line: foobar-limit = 1t: '1t' is not a size"],
    [
      ['--foobar-time', '1', '--foobar-tims', '1'],
      "CONFIG_UNKNOWN_OPTION command line: unknown option '--foobar-tims' (did you mean '--foobar-times'?)",
    ],
    [
      ['--foobar-l', '1'],
      "CONFIG_UNKNOWN_OPTION command line: '--foobar-l' is the beginning of several options: --foobar-limit, --foobar-loud",
    ],
  ])('%j', async (argv, message) => {
    expect(await refusalOf(load(['--plugin', 'foobar', ...argv]))).toContain(message)
  })

  test('in settings too', async () => {
    const refused = (settings: Record<string, unknown>) =>
      refusalOf(loadSettings({ plugin: ['foobar'], ...settings }, cwd, loaderOf({ foobar }).loader))
    expect(await refused({ foobarTimes: '3' })).toBe("CONFIG_BAD_VALUE settings: foobarTimes must be a number, not '3'")
    expect(await refused({ foobarTims: 3 })).toBe(
      "CONFIG_UNKNOWN_OPTION settings: unknown setting 'foobarTims' (did you mean 'foobarTimes'?)",
    )
  })
})

test('one configuration knows nothing of the plugins of another', async () => {
  await load(['--plugin', 'foobar', '--foobar-times', '3'])
  expect(await refusalOf(load(['--foobar-times', '3']))).toMatch(/^CONFIG_UNKNOWN_OPTION .*'--foobar-times'/)
  expect((await load(['--help'])).action?.text).not.toContain('foobar')
})

describe('what is shown', () => {
  const files = { 'a.ini': '[uwsgi]\nfoobar-times = 3\nplugin = foobar\n' }

  test('--help has a group of the plugin, with the plugins of files', async () => {
    const text = (await load(['a.ini', '--help'], { files })).action?.text
    expect(text).toContain(
      [
        '',
        'Options of the plugin foobar:',
        '  -G, --foobar-greeting WORDS',
        '        What it says. Default: hello.',
        '  --foobar-times N',
        '        How often it says so.',
        '  --foobar-limit BYTES',
        '        How much. Default: 1k.',
        '  --foobar-wait SECONDS',
        '        How long.',
        '  --foobar-loud',
        '        Louder.',
        '  --foobar-guest NAME',
        '        Whom. May be repeated.',
        '',
      ].join('\n'),
    )
  })

  test.each([[['no-such.ini', '--help']], [['--need-plugin', 'nothing', '--help']]])('there is help with %j', async (argv) => {
    expect((await load(argv)).action).toMatchObject({ kind: 'help', text: expect.stringContaining('--http-socket') })
  })

  test('--show-config is read back', async () => {
    const shown = (await load(['a.ini', '--show-config', '-G', '100%'], { files })).action?.text as string
    expect(shown).toContain(
      '\n; command line\nfoobar-greeting = 100%%\n; a.ini:2\nfoobar-times = 3\n; default\nfoobar-limit = 1024',
    )
    const again = await load(['shown.ini'], { files: { 'shown.ini': shown } })
    expect(optionsOf(again)).toEqual({ 'foobar-greeting': '100%', 'foobar-times': 3, 'foobar-limit': 1024 })
  })
})

describe('what is asked for', () => {
  test('comes from everywhere, in order, each once; needed once is needed', async () => {
    const { loader, asked } = loaderOf({ a: [], b: [], c: [], foobar })
    const files = { 'x.ini': '[uwsgi]\nplugins = python3, a,b\nplugin-dir = %d../plugins\n' }
    const argv = ['x.ini', '--need-plugin', 'a', '--plugins-dir', 'mine', '--plugins', 'c,c']
    const { plugins } = await load(argv, { files, env: { POLYWSGI_PLUGIN: 'foobar' } }, loader)
    const directories = ['/srv/app/../plugins', 'mine']
    expect(asked).toEqual([
      { text: 'python3', isRequired: false, directories },
      { text: 'a', isRequired: true, directories },
      { text: 'b', isRequired: false, directories },
      { text: 'foobar', isRequired: false, directories },
      { text: 'c', isRequired: false, directories },
    ])
    expect(plugins.map(({ text, isRequired }) => [text, isRequired])).toEqual([
      ['a', true],
      ['b', false],
      ['foobar', false],
      ['c', false],
    ])
  })

  test('is not taken from what is the value of an option that is not known yet', async () => {
    const { loader, asked } = loaderOf({ foobar, other: [] })
    const files = { 'other.ini': '[uwsgi]\nplugin = other\n' }
    const argv = ['--foobar-greeting', 'other.ini', '-G', 'other.ini', '--plugin', 'foobar']
    const { plugins } = await load(argv, { files }, loader)
    expect(asked.map(({ text }) => text)).toEqual(['foobar'])
    expect(plugins).toHaveLength(1)
  })

  test('is found in a file that only then turns out to be one', async () => {
    const { loader, asked } = loaderOf({ foobar, other: [{ name: 'other-one', type: 'flag', help: 'One.' }] })
    const files = { 'other.ini': '[uwsgi]\nplugin = other\nother-one = 1\n' }
    const { warnings, opt } = await load(['--foobar-loud', 'other.ini', '--plugin', 'foobar'], { files }, loader)
    expect(asked.map(({ text }) => text)).toEqual(['foobar', 'other'])
    expect(warnings).toEqual([])
    expect(opt.get('other-one')).toEqual(['1'])
  })

  test('reads a file once, since it may be a pipe', async () => {
    const surroundings = surroundingsOf({ files: { 'a.ini': '[uwsgi]\nplugin = foobar\nfoobar-times = 3\n' } })
    const readFile = vi.fn(surroundings.readFile)
    const { loader } = loaderOf({ foobar })
    expect(optionsOf(await loadConfiguration(['a.ini'], {}, cwd, loader, { ...surroundings, readFile }))).toMatchObject({
      'foobar-times': 3,
    })
    expect(readFile).toHaveBeenCalledTimes(1)
  })
})

describe('a plugin that cannot be had', () => {
  test('is told of, and the rest goes on', async () => {
    const { plugins, pluginFailures } = await load(['--plugin', 'nothing,foobar'])
    expect(plugins.map(({ text }) => text)).toEqual(['foobar'])
    expect(pluginFailures).toEqual(['!!! UNABLE to load plugin nothing: there is none !!!'])
  })

  test('is the end when it is needed', async () => {
    expect(await refusalOf(load(['--need-plugin', 'nothing']))).toBe(
      'PLUGIN_LOAD !!! UNABLE to load plugin nothing: there is none !!!',
    )
    const settings = loadSettings({ needPlugin: ['nothing'] }, cwd, loaderOf({}).loader)
    expect(await refusalOf(settings)).toBe('PLUGIN_LOAD !!! UNABLE to load plugin nothing: there is none !!!')
  })

  test('is told of with the option that nobody knows without it', async () => {
    expect(await refusalOf(load(['--plugin', 'nothing', '--nothing-at-all', '1']))).toBe(
      "CONFIG_UNKNOWN_OPTION command line: unknown option '--nothing-at-all'\n!!! UNABLE to load plugin nothing: there is none !!!",
    )
  })

  test('leaves no option behind when it cannot be taken in', async () => {
    const { loader } = loaderOf({ greedy: foobar })
    const { pluginFailures, plugins } = await load(['--plugin', 'greedy'], {}, loader)
    expect(plugins).toEqual([])
    expect(pluginFailures).toEqual(['!!! UNABLE to load plugin greedy: it claims too much !!!'])
    expect(await refusalOf(load(['--plugin', 'greedy', '--foobar-loud'], {}, loader))).toContain("'--foobar-loud'")
  })
})

describe('a plugin is refused whose options', () => {
  const help = 'Something.'
  test.each<[unknown, string]>([
    ['x', 'its options are not an array'],
    [[7], 'its option 1 is not an object'],
    [[{ type: 'flag', help }], 'its option 1 has no name'],
    [[{ name: 'workers', type: 'flag', help }], "its option 'workers' exists already: it is one of polywsgi"],
    [[{ name: 'processes', type: 'flag', help }], "its option 'processes' exists already: it is one of polywsgi"],
    [[{ name: 'foobar-loud', type: 'flag', help }], "its option 'foobar-loud' exists already: it is one of the plugin 'foobar'"],
    [
      [
        { name: 'x-y', type: 'flag', help },
        { name: 'x-y', type: 'text', help },
      ],
      "its option 'x-y' is declared twice",
    ],
    [
      [
        { name: 'x-1', type: 'flag', help },
        { name: 'x1', type: 'flag', help },
      ],
      "its option 'x1' would be the setting 'x1', which exists already",
    ],
    [[{ name: 'mounts', type: 'flag', help }], "its option 'mounts' would be the setting 'mounts', which exists already"],
    [[{ name: 'for', type: 'text', help }], "its option 'for' has the name of a block of configuration files"],
    [[{ name: 'ifenv', type: 'text', help }], "its option 'ifenv' has the name of a block of configuration files"],
    ...['Foo', 'foo_bar', '-foo', 'foo--bar', 'foo-', '1foo', '', 'é', 'a'.repeat(65)].map((name): [unknown, string] => [
      [{ name, type: 'flag', help }],
      `its option '${name}' is not named in lower case letters`,
    ]),
    [[{ name: 'x', type: 'string', help }], "its option 'x' has the type 'string': it must be one of flag, integer, size"],
    [[{ name: 'x', help }], "its option 'x' has the type 'undefined'"],
    [[{ name: 'x', type: 'flag' }], "its option 'x' has no help"],
    [[{ name: 'x', type: 'flag', help, shortcut: 'ab' }], "its option 'x' has a short letter that is not a letter or a digit"],
    [[{ name: 'x', type: 'flag', help, shortcut: 'p' }], "its option 'x' has the short letter 'p', which is that of 'workers'"],
    [
      [{ name: 'x', type: 'flag', help, shortcut: 'G' }],
      "its option 'x' has the short letter 'G', which is that of 'foobar-greeting'",
    ],
    [[{ name: 'x', type: 'flag', help, set: 1 }], "its option 'x' has a set that is not a function"],
    [[{ name: 'x', type: 'flag', help, default: true }], "its option 'x' is a flag and can have no default"],
    [[{ name: 'x', type: 'list', help, separator: '' }], "its option 'x' has a separator that is not a text"],
    [[{ name: 'x', type: 'integer', help, min: 1.5 }], "its option 'x' has a min that cannot be: 1.5"],
    [[{ name: 'x', type: 'size', help, min: -1 }], "its option 'x' has a min that cannot be: -1"],
    [[{ name: 'x', type: 'integer', help, min: 3, max: 2 }], "its option 'x' has a min (3) above its max (2)"],
    [[{ name: 'x', type: 'integer', help, max: 2, default: 3 }], "its option 'x' has a default that it would not take: must be"],
    [[{ name: 'x', type: 'integer', help, default: '3' }], "its option 'x' has a default that is not a number"],
    [[{ name: 'x', type: 'text', help, default: 3 }], "its option 'x' has a default that is not a text"],
    [[{ name: 'x', type: 'text', help, default: '' }], "its option 'x' has a default that it would not take: needs a value"],
  ])('%j', async (options, reason) => {
    const { loader } = loaderOf({ foobar, bad: options })
    const { pluginFailures, plugins } = await load(['--plugin', 'foobar,bad'], {}, loader)
    expect(plugins.map(({ text }) => text)).toEqual(['foobar'])
    expect(pluginFailures).toHaveLength(1)
    expect(pluginFailures[0]).toContain(`!!! UNABLE to load plugin bad: ${reason}`)
  })
})

describe('an argument that is nothing we know', () => {
  test('is offered to the magic of the plugins, once', async () => {
    const magic = vi.fn((argument: string) => argument.startsWith('foo:'))
    const { loader } = loaderOf({ foobar }, magic)
    await load(['foo:1', '--plugin', 'foobar', 'a.py', 'foo:2'], {}, loader)
    expect(magic.mock.calls).toEqual([['foo:1'], ['foo:2']])
  })

  test('is refused when none takes it', async () => {
    expect(await refusalOf(load(['bar:1', '--plugin', 'foobar']))).toMatch(/^CONFIG_BAD_VALUE command line: 'bar:1' is neither/)
  })
})

describe('a plugin that requires others', () => {
  const never = (): boolean => false
  const namesOf = ({ plugins }: Configuration): readonly string[] => plugins.map(({ text }) => text)

  test('has them loaded before it, once, and each other`s too', async () => {
    const { loader, asked } = loaderOf({ a: [], b: [], c: [] }, never, { a: ['b', 'c'], b: ['c'], c: ['a'] })
    expect(namesOf(await load(['--plugin', 'a,c'], {}, loader))).toEqual(['c', 'b', 'a'])
    expect(asked.map(({ text }) => text)).toEqual(['a', 'b', 'c'])
  })

  test('is not loaded without them', async () => {
    const { loader } = loaderOf({ a: [], b: [], greedy: [] }, never, { a: ['greedy'], b: ['a'] })
    const configuration = await load(['--plugin', 'b'], {}, loader)
    expect(namesOf(configuration)).toEqual([])
    expect(configuration.pluginFailures).toEqual([
      '!!! UNABLE to load plugin greedy: it claims too much !!!',
      "!!! UNABLE to load plugin a: it requires the plugin 'greedy', which is not there !!!",
      "!!! UNABLE to load plugin b: it requires the plugin 'a', which is not there !!!",
    ])
    await expect(
      load(['--need-plugin', 'b'], {}, loaderOf({ b: [], greedy: [] }, never, { b: ['greedy'] }).loader),
    ).rejects.toThrow("it requires the plugin 'greedy', which is not there")
  })
})
