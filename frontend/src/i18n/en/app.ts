export const app = {
  "nav.setup": "Set-up",
  "nav.account": "Account",
  "menu.open": "Appearance, language, sign out",
  "menu.who": (who: string) => `Signed in as ${who}`,
  "menu.theme": "Theme",
  "menu.theme.auto": "As the system",
  "menu.theme.light": "Light",
  "menu.theme.dark": "Dark",
  "menu.language": "Language",
  "menu.sign-out": "Sign out",
  "sign-in.title": "Sign in to Satchel",
  "sign-in.what": "You sign in where you sign in to your other tools.",
  "sign-in.act": "Sign in",
  "sign-in.link.what":
    "Open Satchel from your recruiting software. It brings you here already signed in.",
  "sign-in.out": "You have signed out.",
  "sign-in.failed": "Signing in did not work. Try once more.",
} as const;
