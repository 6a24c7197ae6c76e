// A bundler that splits code loses the names of a CommonJS module in a dynamic import, but keeps them in a static one.
export { Level } from 'level'
