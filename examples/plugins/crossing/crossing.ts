// What crosses the fork: a copy of `data`, as the master's init left it, and nothing else.
import type { Plugin } from 'polywsgi/plugin'

interface Data {
  readonly words: Map<string, string>
}

// Every thread imports this module for itself, so each has its own of these.
const calls: string[] = []
const called = (hook: string): string => {
  calls.push(hook)
  return calls.join(', ')
}

const crossing: Plugin<Data> = {
  name: 'crossing',
  modifier1: 250,

  init({ log }) {
    crossing.data = { words: new Map([['hello', 'ciao']]) }
    log.text(`crossing: in the master: ${called('init')}`)
  },

  postFork({ log, data, thread }) {
    log.text(`crossing: in ${thread.kind} ${thread.number}: ${called('postFork')}; hello is ${data.words.get('hello')}`)
    data.words.set('hello', `salve from ${thread.kind} ${thread.number}`)
  },

  request(request) {
    request.writeBody(`${called('request')}; hello is ${crossing.data?.words.get('hello')}\n`)
    return 0
  },
}

export default crossing
