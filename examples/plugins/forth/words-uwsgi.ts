// The uwsgi module in Forth: `cache_get` of the API is `uwsgi.cache-get`, and `cache-get` too. A loop makes the words from
// what the host has bound; nothing in it knows a function by name. Arguments stand in declared order, the last on top.
// A word takes what must be given; with `/n` at its end it takes the first n arguments: `uwsgi.cache-get/2`.
import type { ApiFunction, ApiScalar, ApiValue, BoundApi, BoundFunction, FunctionOwner } from 'polywsgi/plugin'
import { GuestFunction } from 'polywsgi/plugin'
import { HeldWord, popList, popValue, pushResult } from './convert.ts'
import type { Action, WordTable } from './dictionary.ts'
import { Fault } from './errors.ts'
import { callHost } from './host-call.ts'
import type { Interpreter } from './interpreter.ts'

export type Owner = FunctionOwner

const forthName = (name: string): string => name.toLowerCase().replaceAll('_', '-')

/** A call of the host is as much work as so many steps. */
const callCost = 100

/** Arguments up to the last one that has no default. */
const required = ({ params }: ApiFunction): number => params.findLastIndex((param) => param.default === undefined) + 1

export const apiWords = (api: BoundApi, owner: Owner): WordTable => {
  const table: Record<string, Action> = {}
  const add = (name: string, action: Action): void => {
    table[forthName(name)] = action
    table[`uwsgi.${forthName(name)}`] = action
  }
  for (const bound of api.functions) {
    const { entry } = bound
    for (const name of [entry.name, ...(entry.aliases ?? [])]) {
      add(name, functionWord(bound, required(entry), owner))
      for (let count = required(entry) + 1; count <= entry.params.length; count += 1) {
        add(`${name}/${count}`, functionWord(bound, count, owner))
      }
    }
  }
  for (const { entry, value } of api.attributes) add(entry.name, (forth) => pushResult(forth, entry.type, value, true))
  return table
}

const functionWord = (bound: BoundFunction, count: number, owner: Owner): Action => {
  const { entry } = bound
  const params = entry.params.slice(0, count).reverse()
  return (forth) => {
    const args: ApiValue[] = []
    for (const { type, variadic } of params) {
      if (variadic) args.unshift(...popList(forth, type as ApiScalar, owner))
      else args.unshift(popValue(forth, type, owner))
    }
    forth.count(callCost)
    const result = callHost(() => bound.call(args))
    pushResult(forth, entry.returns, result, entry.always === true)
  }
}

/** Words in the order of Forth for what every program does. */
export const serverWords = (api: BoundApi, owner: Owner): WordTable => {
  const held = (forth: Interpreter): GuestFunction => new GuestFunction(owner, new HeldWord(forth, forth.popWord()))
  return {
    // ( n -- n -1 ) A number where bytes might stand: s" hi" 1 as-int uwsgi.mule-msg/2
    'as-int': (forth) => forth.push(-1n),
    // ( xt name-addr name-u argc -- ) ' word s" name" 1 register-rpc
    'register-rpc': (forth) => {
      const argc = Number(forth.pop())
      const name = forth.popView().slice()
      const handler = held(forth)
      callHost(() => find(api, 'register_rpc').call([name, handler, argc]))
    },
    // ( xt signum -- ) ' word 17 register-signal: any worker may handle it.
    'register-signal': (forth) => {
      const signum = Number(forth.pop())
      const handler = held(forth)
      callHost(() => find(api, 'register_signal').call([signum, '', handler]))
    },
    // ( a1 u1 ... an un n name-addr name-u -- addr u )
    '(rpc")': (forth) => {
      const name = forth.popView().slice()
      const { entry, call } = find(api, 'call')
      const args = popList(forth, 'bytes', owner)
      pushResult(
        forth,
        entry.returns,
        callHost(() => call([name, ...args])),
        false,
      )
    },
    // ( k1 v1 ... kn vn n key-addr key-u -- k1 v1 ... kn vn n addr u ) Of pairs, the value of a name; 0 0 when there is none.
    'pairs-get': (forth) => {
      const wanted = forth.popText()
      const count = Number(forth.peek(0))
      for (let pair = 0; pair < count; pair += 1) {
        const [length, address, nameLength, name] = [1, 2, 3, 4].map((place) => forth.peek(pair * 4 + place)) as [
          bigint,
          bigint,
          bigint,
          bigint,
        ]
        if (Buffer.from(forth.memory.view(name, nameLength)).toString('latin1') !== wanted) continue
        forth.push(address)
        forth.push(length)
        return
      }
      forth.pushBytes(undefined)
    },
  }
}

const find = (api: BoundApi, name: string): BoundFunction => {
  const bound = api.functions.find(({ entry }) => entry.name === name)
  if (bound === undefined) throw Fault.of('host', `this server has no function ${name}`)
  return bound
}

/** Immediate. */
export const serverReadingWords: WordTable = {
  // rpc" name" ( a1 u1 ... an un n -- addr u ) Calls a function of any language; 0 0 when there is none, or it answers nothing.
  'rpc"': (forth) => {
    const { compiler, dictionary } = forth
    const word = dictionary.find('(rpc")')
    compiler.string(compiler.source.upTo('"'))
    if (word === undefined) return
    if (compiler.isCompiling) compiler.emit(word)
    else forth.run(word)
  },
}
