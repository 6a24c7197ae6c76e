/** The adapter that a template becomes. */
export interface Variant {
  readonly package: string
  /** Name of the network, the backend and the folder. */
  readonly network: string
  readonly kind: 'full' | 'messages'
}

/**
 * Renders a file of the template for one variant. The template is the full adapter. The other variant omits the lines
 * between `[full` and `full]`, and uncomments the lines that are comments beginning with `|`.
 */
export function render(text: string, { package: name, network, kind }: Variant): string {
  const lines: string[] = []
  let inside = false
  for (const line of text.split('\n')) {
    const mark = /^\s*(?:\/\/|<!--) (\[full|full\])(?: -->)?$/.exec(line)?.[1]
    const [, indent = '', other] = /^(\s*)(?:\/\/\||<!--\|) (.*?)(?: -->)?$/.exec(line) ?? []
    if (mark !== undefined) inside = mark === '[full'
    else if (other !== undefined) {
      if (kind === 'messages') lines.push(indent + other)
    } else if (!inside || kind === 'full') lines.push(line)
  }
  return lines.join('\n').replaceAll('my-package', name).replaceAll('my-net', network)
}
