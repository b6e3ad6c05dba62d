// Counts requests, those of all workers together: the memory that `init` makes is shared by the threads.
import type { Plugin } from 'polywsgi/plugin'

declare module 'polywsgi' {
  interface PluginSettings {
    readonly countFrom?: number
  }
}

const counter: Plugin<Int32Array> = {
  name: 'counter',
  modifier1: 250,
  options: [{ name: 'count-from', type: 'integer', default: 1, help: 'The first number.' }],

  init({ options }) {
    counter.data = new Int32Array(new SharedArrayBuffer(4))
    counter.data[0] = Number(options.get('count-from'))
  },

  request(request) {
    if (request.method !== 'GET') request.prepareHeaders('405 Method Not Allowed')
    else request.writeBody(`${Atomics.add(counter.data as Int32Array, 0, 1)}\n`)
    return 0
  },
}

export default counter
