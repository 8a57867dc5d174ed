/** Adobe's sign-in service runs twice, with clients of their own. */
export const adobeEnvironment = {
  label: 'Environment',
  pattern: 'production|stage',
  example: 'production',
  default: 'production',
  choices: { production: 'ims-na1.adobelogin.com', stage: 'ims-na1-stg1.adobelogin.com' },
} as const;
