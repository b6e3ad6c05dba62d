// Options of its own: `--greeting TEXT`, `--greet NAME` as often as you like, and `--greet-max N`.
import type { Plugin } from 'polywsgi/plugin'

export default {
  name: 'greeter',

  options: [
    { name: 'greeting', type: 'text', value: 'TEXT', default: 'Hello', help: 'What to say.' },
    {
      name: 'greet',
      type: 'list',
      value: 'NAME',
      help: 'Whom to say it to.',
      set(names) {
        for (const name of names) if (/\d/.test(name)) throw new Error(`${name} is no name`)
      },
    },
    { name: 'greet-max', type: 'integer', min: 1, max: 100, default: 2, help: 'How many to greet.' },
  ],

  init({ log, options }) {
    const names = (options.get('greet') ?? []) as readonly string[]
    for (const name of names.slice(0, Number(options.get('greet-max')))) log.text(`${options.get('greeting')}, ${name}!`)
  },
} satisfies Plugin
