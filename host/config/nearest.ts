// The known name that somebody most likely meant. Pure; used for every "did you mean".

// Longer names are not slips of the pen, and the distance costs their product.
const longestName = 64

/** Edits (insert, delete, replace, swap neighbours) from one text to the other. */
const editDistance = (from: string, to: string): number => {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1]
      let edits = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (isSame ? 0 : 1))
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      if (isSwap) edits = Math.min(edits, beforeLast[column - 2]! + 1)
      current.push(edits)
    }
    beforeLast = last
    last = current
  }
  return last[to.length]!
}

/**
 * The candidate with the fewest edits, if they are few for the length of the name (a third, at least one); of equals the
 * one that comes first. Case and `_` for `-` count as no edit.
 */
export const nearestName = (name: string, candidates: Iterable<string>): string | undefined => {
  if (name.length > longestName) return undefined
  const wanted = normalise(name)
  const bound = Math.max(1, Math.floor(wanted.length / 3))
  let nearest: string | undefined
  let fewest = bound + 1
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - wanted.length) >= fewest) continue
    const edits = editDistance(wanted, normalise(candidate))
    if (edits < fewest) {
      fewest = edits
      nearest = candidate
    }
  }
  return nearest
}

const normalise = (name: string): string => name.toLowerCase().replaceAll('_', '-')
