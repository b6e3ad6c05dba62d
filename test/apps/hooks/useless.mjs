// A plugin that serves nothing: it only has functions for hooks to call, and an action for them to name.
const say = (text) => process._rawDebug(`useless: ${text}`)

export default {
  name: 'useless',
  functions: {
    hello: (text) => say(`hello ${text}`),
    three: () => 3,
    given: (text) => Number(text),
    boom: () => {
      throw new Error('boom')
    },
    spin: () => {
      for (;;);
    },
    requested: (_, request) => say(`requested ${request.getVar('PATH_INFO')}`),
  },
  hookActions: {
    shout: (text) => say(text.toUpperCase()),
    refuse: () => 1,
  },
}
