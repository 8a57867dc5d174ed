/** One limiter of many: the package's main file loads all of them. */
declare module 'rate-limiter-flexible/lib/RateLimiterMemory.js' {
  // biome-ignore lint/style/noDefaultExport: this is how the package exports it
  export { RateLimiterMemory as default } from 'rate-limiter-flexible';
}
