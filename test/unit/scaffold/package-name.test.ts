// Names under which a plugin can be begun: npm's rules, and nothing that is taken.
import { expect, it } from 'vitest'
import { faultOfPackageName } from '../../../host/scaffold/package-name.ts'

const taken = ['rpc', 'python', 'python3']

it.each(['hello', 'a', '0x', 'my-plugin', 'my_plugin.2', 'x'.repeat(100)])('%s is a name', (name) => {
  expect(faultOfPackageName(name, taken)).toBeUndefined()
})

it.each([
  ['', /^is empty$/],
  ['x'.repeat(101), /longer than 100/],
  ['Hello', /capital letters/],
  ['.hidden', /small letters/],
  ['_x', /small letters/],
  ['-x', /small letters/],
  ['a b', /small letters/],
  ['a/b', /small letters/],
  ['..', /small letters/],
  ['@me/x', /small letters/],
  ['é', /small letters/],
  ['a,b', /small letters/],
  ['a:b', /small letters/],
  ['a\n', /small letters/],
  ['http', /npm, Node or polywsgi/],
  ['node_modules', /npm, Node or polywsgi/],
  ['favicon.ico', /npm, Node or polywsgi/],
  ['polywsgi', /npm, Node or polywsgi/],
  ['rpc', /always there/],
  ['python3', /always there/],
])('%j is none', (name, why) => {
  expect(faultOfPackageName(name, taken)).toMatch(why)
})
