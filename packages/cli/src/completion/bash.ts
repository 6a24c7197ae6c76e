import { backends, type Words } from './words.ts'

export function bash(all: readonly Words[]): string {
  const cases = all.map(
    ({ path, commands, options }) =>
      `    '${path}') commands='${commands.map(({ name }) => name).join(' ')}' options="$options ${options.map(({ long }) => long).join(' ')}" ;;`
  )
  const paths = all.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`)
  const valued = all.flatMap(({ options }) => options.filter(({ takesValue }) => takesValue).map(({ long }) => long))
  const general = all[0]?.options.map(({ long }) => long) ?? []
  return `# p2pl completion for bash: source <(p2pl completion bash)
_p2pl() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path='' commands='' options='${general.join(' ')}' i
  COMPREPLY=()
  case "\${COMP_WORDS[COMP_CWORD-1]}" in
    --backend) COMPREPLY=($(compgen -W '${backends.join(' ')}' -- "$current")); return ;;
    ${[...new Set(valued)].join('|')}) return ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${path:+$path }\${COMP_WORDS[i]}" in
      ${paths.join('|')}) path="\${path:+$path }\${COMP_WORDS[i]}" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  [[ "$current" == -* ]] && commands="$options"
  COMPREPLY=($(compgen -W "$commands" -- "$current" | sort -u))
}
complete -o default -F _p2pl p2pl
`
}
