import { backends, type Words } from './words.ts'

export function zsh(all: readonly Words[]): string {
  const [program] = all
  const cases = all.map(
    ({ path, commands, options }) => `    (${quote(path)})
      commands=(${commands.map(describe).join(' ')})
      options=(${options.map(({ long, description }) => describe({ name: long, description })).join(' ')})
      ;;`
  )
  const paths = all.filter(({ path }) => path !== '').map(({ path }) => quote(path))
  return `#compdef p2pl
# p2pl completion for zsh: source <(p2pl completion zsh)
_p2pl() {
  local -a commands options all
  local at= word i
  if [[ "$words[CURRENT-1]" == --backend ]]; then
    compadd -- ${backends.join(' ')}
    return
  fi
  for ((i = 2; i < CURRENT; i++)); do
    word="\${at:+$at }$words[i]"
    case "$word" in
      (${paths.join('|')}) at="$word" ;;
    esac
  done
  all=(${program?.options.map(({ long, description }) => describe({ name: long, description })).join(' ')})
  case "$at" in
${cases.join('\n')}
  esac
  if [[ "$words[CURRENT]" == -* ]]; then
    [[ -n "$at" ]] && options+=($all)
    _describe -o option options
  elif (( $#commands )); then
    _describe command commands
  else
    _files
  fi
}
compdef _p2pl p2pl
`
}

/** `_describe` splits at the first colon. */
function describe({ name, description }: { readonly name: string; readonly description: string }): string {
  return quote(`${name}:${description}`)
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
