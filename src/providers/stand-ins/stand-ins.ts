import { adobeIms, adobeImsS2s } from './adobe.ts';
import { atlassian } from './atlassian.ts';
import { dropbox } from './dropbox.ts';
import { github, githubAppInstallation, githubAppUser } from './github.ts';
import { gitlab } from './gitlab.ts';
import { google, googleServiceAccount } from './google.ts';
import { halopsa } from './halopsa.ts';
import { hubspot } from './hubspot.ts';
import { linear } from './linear.ts';
import { microsoft } from './microsoft.ts';
import { notion } from './notion.ts';
import { quickbooks } from './quickbooks.ts';
import { salesforce, salesforceJwt } from './salesforce.ts';
import { shopify } from './shopify.ts';
import { slack, slackUser } from './slack.ts';
import type { StandIn } from './stand-in.ts';
import { xero } from './xero.ts';
import { zoho } from './zoho.ts';
import { zoom, zoomS2s } from './zoom.ts';

/** What stand-ins do beyond the entries, by the provider's id. The others do as their entry and the standards say. */
export const standIns: Readonly<Record<string, StandIn>> = {
  'adobe-ims': adobeIms,
  'adobe-ims-s2s': adobeImsS2s,
  atlassian,
  dropbox,
  github,
  'github-app-installation': githubAppInstallation,
  'github-app-user': githubAppUser,
  gitlab,
  google,
  'google-service-account': googleServiceAccount,
  halopsa,
  hubspot,
  linear,
  microsoft,
  notion,
  quickbooks,
  salesforce,
  'salesforce-jwt': salesforceJwt,
  shopify,
  slack,
  'slack-user': slackUser,
  xero,
  zoho,
  zoom,
  'zoom-s2s': zoomS2s,
};
