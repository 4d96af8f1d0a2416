// The wire form of an admitted request.

import GatewayNode
import HTTPSupport

extension JSONWriter {
    /// The answer to a reservation as a JSON value. A dry run has no id and does not expire.
    mutating func admission(_ admission: Admission, id: String?, decisionID: String, _ horizon: Horizon) {
        object { json in
            json.field("id", id)
            json.field("decision", admission.decision.rawValue)
            json.field("decision_id", decisionID)
            json.field("model", admission.model)
            json.field("account", admission.account)
            json.time("expires_at", id == nil ? nil : admission.expiresAt)
            json.array("warnings", admission.warnings) { json, warning in
                json.warning(warning, among: admission.budgets, horizon)
            }
            json.figuresList("budgets", admission.budgets, horizon)
        }
    }

    private mutating func warning(_ warning: Warning, among budgets: [BudgetFigures], _ horizon: Horizon) {
        let open = budgets.first { $0.account == warning.account && $0.budget == warning.budget }?.visibleBelow ?? false
        let visible = open || horizon.sees(warning.account)
        object { json in
            json.field("code", warning.code)
            json.field("account", visible ? warning.account : nil)
            json.field("budget", visible ? warning.budget : nil)
            json.field("detail", visible ? warning.detail : "It concerns a budget above this key's account.")
        }
    }
}
