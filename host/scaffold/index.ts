// `polywsgi init plugin NAME`: a folder with a plugin that works, its test, and what is needed to build and publish it.
// Invariant: the folder is new, and it is whole or not there.

import { existsSync, mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { ConfigError } from '../errors.ts'
import { languages, type ScaffoldLanguage } from './languages.ts'
import { faultOfPackageName } from './package-name.ts'
import readmeBuilt from './templates/README-built.md?raw'
import readmePlain from './templates/README-plain.md?raw'
import test from './templates/test.mjs?raw'

const usage = `polywsgi init plugin NAME [--lang ${Object.keys(languages).join('|')}]`

export interface Scaffolder {
  readonly version: string
  /** Of the polywsgi that runs. */
  readonly packageRoot: string
  /** Names and aliases of the plugins that are always there. */
  readonly taken: readonly string[]
}

/**
 * @param args what follows `init` on the command line
 * @param cwd where the folder is made
 * @returns what to tell, without a final line break
 * @throws ConfigError for arguments that are not understood, a bad name and a folder that is there
 */
export const initPlugin = (args: readonly string[], cwd: string, scaffolder: Scaffolder): string => {
  const { name, language } = parse(args)
  const why = faultOfPackageName(name, scaffolder.taken)
  if (why !== undefined) throw refusal(`the name '${name}' ${why}`)
  const folder = join(cwd, name)
  const files = filesOf(name, language, scaffolder.version)
  if (existsSync(folder)) throw refusal(`${folder} exists`)
  try {
    mkdirSync(folder)
    for (const [path, text] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text, { flag: 'wx' })
    }
    linkPackage(folder, scaffolder.packageRoot)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    // Another one made it meanwhile: it is not ours to remove.
    if (code !== 'EEXIST') rmSync(folder, { recursive: true, force: true })
    throw refusal(`unable to make ${folder}: ${message}`)
  }
  return [
    `${name}/`,
    ...[...files.keys()].map((path) => `  ${path}`),
    '',
    'Now:',
    `  cd ${name}`,
    '  node --test',
    ...commandsOf(name, language).map((command) => `  npx ${command}`),
    '  curl http://127.0.0.1:8080/',
  ].join('\n')
}

const refusal = (why: string): ConfigError => new ConfigError('CONFIG_BAD_VALUE', `init: ${why}`)

const parse = (args: readonly string[]): { name: string; language: ScaffoldLanguage } => {
  let parsed: { values: { lang: string }; positionals: string[] }
  try {
    parsed = parseArgs({ args: [...args], options: { lang: { type: 'string', default: 'ts' } }, allowPositionals: true })
  } catch (error) {
    throw refusal(`${(error as Error).message.split('. ')[0]} (${usage})`)
  }
  const [what, name, ...more] = parsed.positionals
  if (what !== 'plugin')
    throw refusal(what === undefined ? `what is to be begun? (${usage})` : `nothing is known of '${what}' (${usage})`)
  if (name === undefined || more.length > 0) throw refusal(`one name is needed (${usage})`)
  const { lang } = parsed.values
  const language = Object.hasOwn(languages, lang) ? languages[lang] : undefined
  if (language === undefined) throw refusal(`no plugin is begun in '${lang}', but in ${Object.keys(languages).join(', ')}`)
  return { name, language }
}

/** The file that is loaded when the plugin is finished. */
const productOf = (name: string, { extension, isBuilt }: ScaffoldLanguage): string =>
  isBuilt ? `${name}_plugin.mjs` : `${name}${extension}`

const commandsOf = (name: string, language: ScaffoldLanguage): readonly string[] => [
  ...(language.isBuilt ? ['polywsgi --build-plugin .'] : []),
  `polywsgi --http-socket 127.0.0.1:8080 --http-socket-modifier1 250 --plugin ./${productOf(name, language)}`,
]

/** Path in the folder to content. */
const filesOf = (name: string, language: ScaffoldLanguage, version: string): ReadonlyMap<string, string> => {
  const { extension, source, isBuilt } = language
  const entry = `${name}${extension}`
  const product = productOf(name, language)
  const fill = (template: string): string => template.replaceAll('__NAME__', name).replaceAll('__ENTRY__', entry)
  const json = (value: object): string => `${JSON.stringify(value, undefined, 2)}\n`
  const buildScripts = isBuilt ? { build: 'polywsgi --build-plugin .', prepack: 'npm run build' } : {}
  const files = new Map([
    [entry, fill(source)],
    [`test/${name}.test.mjs`, fill(test)],
    [
      'package.json',
      json({
        name,
        version: '0.1.0',
        description: `The plugin ${name} for polywsgi.`,
        keywords: ['polywsgi-plugin'],
        type: 'module',
        exports: `./${product}`,
        files: [product],
        scripts: { test: 'node --test', ...buildScripts },
        peerDependencies: { polywsgi: `^${version}` },
      }),
    ],
    ['README.md', fill(isBuilt ? readmeBuilt : readmePlain)],
    ['.gitignore', ['node_modules/', ...(isBuilt ? [product] : []), ''].join('\n')],
  ])
  if (isBuilt) files.set('uwsgiplugin.json', json({ name, entry, dependencies: {}, flags: {}, requires: [] }))
  if (extension === '.ts') files.set('tsconfig.json', json({ compilerOptions, exclude: ['node_modules'] }))
  return files
}

/** What Node asks of TypeScript that it runs as it is. */
const compilerOptions = {
  target: 'es2024',
  module: 'nodenext',
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  erasableSyntaxOnly: true,
  verbatimModuleSyntax: true,
  allowImportingTsExtensions: true,
}

/**
 * Where `polywsgi` is not found from the folder it gets a link to the one that runs, as `npm link` makes it: the test, the
 * build script and the editor then work at once, in a checkout of polywsgi too.
 */
const linkPackage = (folder: string, packageRoot: string): void => {
  try {
    createRequire(join(folder, 'package.json')).resolve('polywsgi')
    return
  } catch {
    // Not installed here or above.
  }
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, '.bin'), { recursive: true })
  symlinkSync(realpathSync(packageRoot), join(modules, 'polywsgi'), 'junction')
  symlinkSync(join('..', 'polywsgi', 'dist', 'cli.js'), join(modules, '.bin', 'polywsgi'))
}
