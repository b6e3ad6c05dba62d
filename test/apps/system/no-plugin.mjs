// A module that is no plugin.
export default 'not a plugin'
