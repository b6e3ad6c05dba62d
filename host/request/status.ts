// Reason phrases: what a bare status code is completed with (uWSGI does so for apps that return '404').
import { STATUS_CODES } from 'node:http'

/** The standard reason of a status code; `Unknown` for others, as uWSGI has it. */
export const reasonPhrase = (code: number): string => STATUS_CODES[code] ?? 'Unknown'
