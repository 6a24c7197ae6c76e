import { backends, type Words } from './words.ts'

export function fish(all: readonly Words[]): string {
  return `# p2pl completion for fish: p2pl completion fish | source
function __p2pl_at
  set -l at ''
  for word in (commandline -opc)[2..]
    set -l next (string trim "$at $word")
    contains -- $next ${all
      .filter(({ path }) => path !== '')
      .map(({ path }) => quote(path))
      .join(' ')}; and set at $next
  end
  test "$at" = "$argv[1]"
end
${all.flatMap(lines).join('\n')}
`
}

function lines({ path, commands, options }: Words): string[] {
  const here = path === '' ? '' : ` -n ${quote(`__p2pl_at ${quote(path)}`)}`
  return [
    ...commands.map(
      ({ name, description }) =>
        `complete -c p2pl -f -n ${quote(`__p2pl_at ${quote(path)}`)} -a ${name} -d ${quote(description)}`
    ),
    ...options.map(({ long, description, takesValue }) => {
      const values = long === '--backend' ? ` -x -a ${quote(backends.join(' '))}` : takesValue ? ' -r' : ''
      return `complete -c p2pl${here} -l ${long.slice(2)}${values} -d ${quote(description)}`
    })
  ]
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
