// docs/errors.md as text, from the tables of error codes.

import { protocolErrorCodes } from '../protocol/index.ts'
import { errorCodes } from './errors.ts'

export const renderErrorsDoc = (): string => {
  const host = Object.entries(errorCodes).map(([code, { audience, meaning }]) => `| \`${code}\` | ${audience} | ${meaning} |`)
  const protocol = Object.entries(protocolErrorCodes).map(
    ([code, { httpStatus, meaning }]) => `| \`${code}\` | ${httpStatus} | ${meaning} |`,
  )
  return `# Errors

Generated from the tables in \`host/errors.ts\` and \`protocol/errors.ts\` by \`npm run gen\`. A code never changes its meaning.

## Errors of the host

\`PolywsgiError\` and its subclasses have a \`code\`; the middle column says who can act on it.

| code | who | meaning |
|---|---|---|
${host.join('\n')}

## Errors of the protocol

\`ProtocolError\` has a \`code\` and an \`httpStatus\`, with which a client that can be told is answered.

| code | status | meaning |
|---|---|---|
${protocol.join('\n')}
`
}
