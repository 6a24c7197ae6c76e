// Bundlers that split give a module of the old kind without its names to a dynamic import; to a static one they do.
export { Level } from 'level'
