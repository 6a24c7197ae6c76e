import { InvalidArgumentError } from 'commander'

/** Returns the parser of a whole number of at least `min`. */
export function wholeNumber(min: number): (text: string) => number {
  return (text) => {
    if (!/^[0-9]{1,9}$/.test(text) || Number(text) < min)
      throw new InvalidArgumentError(`must be a whole number from ${min} on.`)
    return Number(text)
  }
}

/** Examples for the help of a command: a command line and its purpose. */
export function examples(...lines: readonly (readonly [command: string, purpose: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length))
  return `\nExamples:\n${lines.map(([command, purpose]) => `  ${command.padEnd(width)}   ${purpose}`).join('\n')}`
}
