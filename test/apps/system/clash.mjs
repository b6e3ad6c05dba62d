// A plugin that claims what Lua has.
export default { name: 'clash', modifier1: 6, request: () => 0 }
