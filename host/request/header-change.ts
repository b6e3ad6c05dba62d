// What the options `add-header` and `rem-header` do to the head of every response, made once per thread.
import { joinHeaders, withoutHeaders } from './header-text.ts'

export interface HeaderPlan {
  /** Names and values in turn, joined by NUL; checked. */
  readonly added: string
  /** Names, in lower case. */
  readonly removed: readonly string[]
}

/** Takes and gives headers as one text. What is added stays, be it among what is removed (as in uWSGI). */
export type HeaderChange = (headers: string) => string

export const headerChange = ({ added, removed }: HeaderPlan): HeaderChange => {
  const names = new Set(removed)
  return (headers) => joinHeaders(names.size === 0 ? headers : withoutHeaders(headers, names), added)
}
