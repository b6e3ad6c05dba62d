// A request plugin with options of its own: says what it was told, in the master and in its request hook.
const told = []
let options

export default {
  name: 'greeter',
  modifier1: 251,
  options: [
    {
      name: 'greeter-words',
      shortcut: 'G',
      type: 'text',
      value: 'WORDS',
      default: 'hello',
      help: 'What the greeter says.',
      set(words) {
        if (words === 'nothing') throw new Error('a greeter says something')
        told.push(`words=${words}`)
      },
    },
    {
      name: 'greeter-times',
      type: 'integer',
      min: 1,
      max: 5,
      help: 'How often it says so.',
      set: (times) => told.push(`times=${times}`),
    },
    { name: 'greeter-loud', type: 'flag', help: 'Louder.', set: (isLoud) => told.push(`loud=${isLoud}`) },
  ],
  // What the master was told crosses to the workers.
  init() {
    this.data = told.splice(0)
  },
  magic: (argument) => argument.startsWith('greet:'),
  postFork(context) {
    options = context.options
  },
  request(request) {
    request.setHead('200 OK', 'Content-Type\0text/plain')
    request.finish(Buffer.from(`${JSON.stringify(Object.fromEntries(options))} ${this.data.join(' ')}`))
    return 0
  },
}
