// Text of an operator as a message shows it: printable, and no longer than a line can hold.

/** A name or a value as shown in a message: one of unreasonable length is cut. */
export const shown = (text: string): string => {
  const printable = text.replace(/[\x00-\x1f\x7f]/g, '\ufffd')
  return printable.length > 80 ? `${printable.slice(0, 77)}...` : printable
}
