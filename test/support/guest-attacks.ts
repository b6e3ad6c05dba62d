// Attacks that are tried from more than one place where guest code runs: apps, plugin files.

/** Lua: names that are reached from `roots` and must not be, as `return #bad, table.concat(bad, ' ')` has them. Sets `bad`. */
export const luaReaches = (roots: readonly string[], forbidden: readonly string[]): string => `
  local seen, names = {}, {}
  local function visit(value)
    if type(value) ~= 'table' or seen[value] then return end
    seen[value] = true
    for key, item in pairs(value) do
      names[tostring(key)] = true
      visit(item)
      local metatable = getmetatable(item)
      if type(metatable) == 'table' then visit(metatable) end
    end
  end
  ${roots.map((root) => `visit(${root})`).join(' ')}
  local bad = {}
  for _, name in ipairs { ${forbidden.map((name) => `'${name}'`).join(', ')} } do
    if names[name] then bad[#bad + 1] = name end
  end`

/** Python: finds the host's own functions without being given them, and calls each; `result` has what each did, a line each. */
export const pythonCallsOurs = (calls: readonly string[]): string => `
import gc
ours = {f.__name__: f for f in gc.get_objects() if type(f) is type(len) and f.__module__ == 'polywsgi'}
def tried(name, *args):
    try:
        return ours[name](*args)
    except BaseException as error:
        return f'{type(error).__name__}: {error}'
result = '\\n'.join(str(tried(*call)) for call in [${calls.join(', ')}])`
